// Package commands declares a row of `ls` with the types that templates see.
package commands

import (
	"time"

	"recorder/engine"
	"recorder/state"
	"recorder/swarm"
)

type HostListItem struct {
	Name          string
	Active        string
	ActiveHost    bool
	ActiveSwarm   bool
	DriverName    string
	State         state.State
	URL           string
	SwarmOptions  *swarm.Options
	Swarm         string
	EngineOptions *engine.Options
	Error         string
	DockerVersion string
	ResponseTime  time.Duration
}
