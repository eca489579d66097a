/** Text of an /etc/nftables.conf that lets in SSH and http, and drops everything else. */
export const siteRuleset = `flush ruleset
table inet site {
  chain incoming {
    type filter hook input priority 0; policy drop;
    ct state established,related accept
    iif lo accept
    tcp dport { 22, 80 } accept
  }
}
`;
