// Package state names machine states with the types that templates see.
package state

type State int

var names = []string{"", "Running", "Paused", "Saved", "Stopped", "Stopping", "Starting", "Error", "Timeout"}

func (s State) String() string {
	if int(s) >= 0 && int(s) < len(names) {
		return names[s]
	}
	return ""
}
