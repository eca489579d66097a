/** Where SSH listens inside a machine that was made for us; its engine listens at `defaultEnginePort`. */
export const guestSshPort = 22;
