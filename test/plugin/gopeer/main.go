// Gopeer is the other side of the driver-plugin protocol for tests, made of Go's own net/rpc and encoding/gob. Started
// with the plugin token it is a driver; else it is a tool that runs the plugin named by its arguments and tells what
// each call answered, one line of JSON a call.
package main

import (
	"bufio"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/rpc"
	"os"
	"os/exec"
	"strings"
	"time"
)

type StringFlag struct{ Name, Usage, EnvVar, Value string }
type IntFlag struct {
	Name, Usage, EnvVar string
	Value               int
}
type BoolFlag struct{ Name, Usage, EnvVar string }
type StringSliceFlag struct {
	Name, Usage, EnvVar string
	Value               []string
}
type RPCFlags struct{ Values map[string]interface{} }
type none = struct{}

// Config is what the driver keeps. Big does not fit into a JavaScript number.
type Config struct {
	IPAddress, MachineName, StorePath, Text string
	Big                                     int64
	Num, State                              int
	Yes                                     bool
	List                                    []string
}

type Driver struct {
	config Config
	beat   chan none
}

var flags = []interface{}{
	&StringFlag{"gopeer-text", "a text", "GOPEER_TEXT", "héllo"},
	&IntFlag{"gopeer-num", "a number", "GOPEER_NUM", -129},
	&BoolFlag{"gopeer-yes", "a switch", "GOPEER_YES"},
	&StringSliceFlag{"gopeer-list", "a list", "", []string{"a", "b"}},
	StringFlag{"gopeer-fail", "name of the call that fails", "", ""},
}

func (d *Driver) act(name string, state int) error {
	fmt.Println("info line from", name)
	fmt.Fprintln(os.Stderr, "debug line from", name)
	switch d.config.Text {
	case name:
		return errors.New(name + " failed as asked\nsecond line")
	case "exit in " + name:
		os.Exit(7)
	case "panic in " + name:
		go panic("as asked")
		time.Sleep(time.Minute)
	case "slow " + name:
		d.config.IPAddress = "192.0.2.9"
		time.Sleep(300 * time.Millisecond)
	}
	d.config.State, d.config.Big = state, 9007199254740993
	return nil
}

func (d *Driver) GetVersion(_ *none, r *int) error { *r = 1; return nil }
func (d *Driver) Heartbeat(_ *none, _ *none) error {
	d.beat <- none{}
	fmt.Fprintln(os.Stderr, "beat")
	return nil
}
func (d *Driver) Close(_ *none, _ *none) error {
	fmt.Fprintln(os.Stderr, "closing")
	os.Exit(0)
	return nil
}
func (d *Driver) SetConfigRaw(j []byte, _ *none) error { return json.Unmarshal(j, &d.config) }
func (d *Driver) GetConfigRaw(_ *none, r *[]byte) (err error) {
	*r, err = json.Marshal(d.config)
	return err
}
func (d *Driver) GetCreateFlags(_ *none, r *[]interface{}) error { *r = flags; return nil }
func (d *Driver) SetConfigFromFlags(o *interface{}, _ *none) error {
	v := (*o).(*RPCFlags).Values
	d.config.Text, _ = v["gopeer-text"].(string)
	d.config.Num, _ = v["gopeer-num"].(int)
	d.config.Yes, _ = v["gopeer-yes"].(bool)
	d.config.List, _ = v["gopeer-list"].([]string)
	return nil
}
func (d *Driver) DriverName(_ *none, r *string) error     { *r = "gopeer"; return nil }
func (d *Driver) GetMachineName(_ *none, r *string) error { *r = d.config.MachineName; return nil }
func (d *Driver) GetIP(_ *none, r *string) error          { *r = d.config.IPAddress; return nil }
func (d *Driver) GetURL(_ *none, r *string) error {
	if *r = "tcp://" + d.config.IPAddress + ":2376"; d.config.State != 1 {
		return errors.New("Host is not running")
	}
	return nil
}
func (d *Driver) GetSSHHostname(_ *none, r *string) error { *r = d.config.IPAddress; return nil }
func (d *Driver) GetSSHKeyPath(_ *none, r *string) error {
	*r = d.config.StorePath + "/key"
	return nil
}
func (d *Driver) GetSSHUsername(_ *none, r *string) error { *r = "docker"; return nil }
func (d *Driver) GetSSHPort(_ *none, r *int) error        { *r = 2222; return nil }
func (d *Driver) GetState(_ *none, r *int) error          { *r = d.config.State; return nil }
func (d *Driver) PreCreateCheck(_ *none, _ *none) error   { return d.act("PreCreateCheck", 0) }
func (d *Driver) Create(_ *none, _ *none) error {
	d.config.IPAddress = "192.0.2.7"
	return d.act("Create", 1)
}
func (d *Driver) Remove(_ *none, _ *none) error  { return d.act("Remove", 0) }
func (d *Driver) Start(_ *none, _ *none) error   { return d.act("Start", 1) }
func (d *Driver) Stop(_ *none, _ *none) error    { return d.act("Stop", 4) }
func (d *Driver) Restart(_ *none, _ *none) error { return d.act("Restart", 1) }
func (d *Driver) Kill(_ *none, _ *none) error    { return d.act("Kill", 4) }

func serve() {
	d := &Driver{beat: make(chan none)}
	for _, name := range []string{"RPCServerDriver", "RpcServerDriver"} {
		check(rpc.RegisterName(name, d))
	}
	rpc.HandleHTTP()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Println(listener.Addr())
	go http.Serve(listener, nil)
	for {
		select {
		case <-d.beat:
		case <-time.After(10 * time.Second):
			os.Exit(1)
		}
	}
}

type step struct {
	Call string
	Arg  json.RawMessage
}

// call makes one call from its JSON description and gives what is to be told of it.
func call(client *rpc.Client, s step) interface{} {
	var arg, reply interface{} = none{}, new(none)
	switch s.Call {
	case "SetConfigRaw":
		arg = []byte(s.Arg)
	case "SetConfigFromFlags":
		var options interface{} = &RPCFlags{typed(s.Arg)}
		arg = &options
	case "GetConfigRaw":
		reply = new([]byte)
	case "GetCreateFlags":
		reply = new([]interface{})
	case "GetVersion", "GetSSHPort", "GetState":
		reply = new(int)
	case "DriverName", "GetMachineName", "GetIP", "GetIPv6", "GetURL", "GetSSHHostname", "GetSSHKeyPath", "GetSSHUsername":
		reply = new(string)
	}
	if err := client.Call("RPCServerDriver."+s.Call, arg, reply); err != nil {
		return map[string]string{"error": err.Error()}
	}
	if raw, ok := reply.(*[]byte); ok {
		return string(*raw)
	}
	return reply
}

// typed turns JSON into the values that a Go tool would send: int, and []string rather than nil.
func typed(raw json.RawMessage) map[string]interface{} {
	values := map[string]interface{}{}
	check(json.Unmarshal(raw, &values))
	for name, value := range values {
		switch v := value.(type) {
		case float64:
			values[name] = int(v)
		case []interface{}:
			list := []string{}
			for _, one := range v {
				list = append(list, one.(string))
			}
			values[name] = list
		}
	}
	return values
}

func use(program string, args []string) {
	command := exec.Command(program, args...)
	command.Env = append(os.Environ(), "MACHINE_PLUGIN_TOKEN=42", "MACHINE_PLUGIN_DRIVER_NAME=x")
	// Not the descriptor itself: a plugin may make it non-blocking, for us too.
	command.Stderr = struct{ io.Writer }{os.Stderr}
	stdout, err := command.StdoutPipe()
	check(err)
	check(command.Start())
	lines := bufio.NewReader(stdout)
	address, err := lines.ReadString('\n')
	check(err)
	client, err := rpc.DialHTTP("tcp", strings.TrimSpace(address))
	check(err)
	logged := make(chan none)
	go func() {
		lines.WriteTo(os.Stderr)
		close(logged)
	}()
	steps := json.NewDecoder(os.Stdin)
	tell := json.NewEncoder(os.Stdout)
	for steps.More() {
		var s step
		check(steps.Decode(&s))
		tell.Encode(call(client, s))
	}
	client.Close()
	<-logged
	check(command.Wait())
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	gob.RegisterName("*mcnflag.StringFlag", &StringFlag{})
	gob.RegisterName("*mcnflag.IntFlag", &IntFlag{})
	gob.RegisterName("*mcnflag.BoolFlag", &BoolFlag{})
	gob.RegisterName("*mcnflag.StringSliceFlag", &StringSliceFlag{})
	gob.RegisterName("*rpcdriver.RPCFlags", &RPCFlags{})
	if os.Getenv("MACHINE_PLUGIN_TOKEN") == "42" {
		serve()
	}
	use(os.Args[1], os.Args[2:])
}
