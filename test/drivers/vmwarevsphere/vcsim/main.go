// vCenter's simulator, from the library that Debian ships, for the tests of vmwarevsphere: one process a world, plain http
// on a free port of the loopback address, ended with its standard input. Beside it, under /lab, what a test may see and do
// there without going through the API that it tests.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/ioutil"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	_ "github.com/vmware/govmomi/pbm/simulator"
	"github.com/vmware/govmomi/simulator"
	_ "github.com/vmware/govmomi/vapi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"
)

type labVM struct {
	Ref          string            `json:"ref"`
	Name         string            `json:"name"`
	InstanceUuid string            `json:"instanceUuid"`
	BiosUuid     string            `json:"biosUuid"`
	Template     bool              `json:"template"`
	State        string            `json:"state"`
	Folder       string            `json:"folder"`
	Annotation   string            `json:"annotation"`
	ExtraConfig  map[string]string `json:"extraConfig"`
	VmPathName   string            `json:"vmPathName"`
	Cpus         int32             `json:"cpus"`
	MemoryMB     int32             `json:"memoryMB"`
	Devices      []labDevice       `json:"devices"`
	Fields       map[string]string `json:"fields"`
}

type labDevice struct {
	Kind       string `json:"kind"`
	Key        int32  `json:"key"`
	Mac        string `json:"mac,omitempty"`
	Network    string `json:"network,omitempty"`
	File       string `json:"file,omitempty"`
	CapacityKB int64  `json:"capacityKB,omitempty"`
}

type labState struct {
	Vms        []labVM           `json:"vms"`
	Files      []string          `json:"files"`
	Datastores map[string]string `json:"datastores"`
}

var labMutex sync.Mutex

func main() {
	model := simulator.VPX()
	if len(os.Args) > 1 && os.Args[1] == "esx" {
		model = simulator.ESX()
		model.Machine = 1
	} else {
		model.Datastore = 2
		model.Machine = 1
		model.Pod = 1
	}
	exitOn(model.Create())
	defer model.Remove()
	model.Service.Listen = &url.URL{Host: "127.0.0.1:0", User: url.UserPassword(os.Getenv("VCSIM_USER"), os.Getenv("VCSIM_PASSWORD"))}
	model.Service.RegisterEndpoints = true
	model.Service.HandleFunc("/lab/state", answer(func(_ []byte) (interface{}, error) { return state(), nil }))
	model.Service.HandleFunc("/lab/guest", answer(setGuest))
	model.Service.HandleFunc("/lab/vm", answer(makeVM))
	model.Service.HandleFunc("/lab/folder", answer(makeFolder))
	model.Service.HandleFunc("/lab/destroy", answer(destroyVM))
	model.Service.HandleFunc("/lab/attach", answer(attachDisk))
	model.Service.HandleFunc("/lab/rename", answer(renameVM))
	model.Service.HandleFunc("/lab/datastore", answer(datastoreRef))
	model.Service.HandleFunc("/lab/field", answer(addField))
	model.Service.HandleFunc("/lab/space", answer(setSpace))
	model.Service.HandleFunc("/lab/pod", answer(fillPod))
	server := model.Service.NewServer()
	defer server.Close()
	fmt.Println(server.URL.Host)
	_, _ = ioutil.ReadAll(os.Stdin)
}

func labContext() *simulator.Context {
	return &simulator.Context{
		Context: context.Background(),
		Map:     simulator.Map,
		Session: &simulator.Session{
			UserSession: types.UserSession{Key: "lab"},
			Registry:    simulator.NewRegistry(),
		},
	}
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func answer(work func([]byte) (interface{}, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		labMutex.Lock()
		defer labMutex.Unlock()
		body, _ := ioutil.ReadAll(r.Body)
		result, err := work(body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_ = json.NewEncoder(w).Encode(result)
	}
}

func virtualMachines() []*simulator.VirtualMachine {
	var found []*simulator.VirtualMachine
	for _, entity := range simulator.Map.All("VirtualMachine") {
		found = append(found, entity.(*simulator.VirtualMachine))
	}
	return found
}

func state() labState {
	result := labState{Vms: []labVM{}, Files: []string{}, Datastores: map[string]string{}}
	for _, vm := range virtualMachines() {
		one := labVM{
			Ref: vm.Self.Value, Name: vm.Name, InstanceUuid: vm.Config.InstanceUuid, BiosUuid: vm.Config.Uuid,
			Template: vm.Config.Template, State: string(vm.Runtime.PowerState), Annotation: vm.Config.Annotation,
			ExtraConfig: map[string]string{}, Fields: map[string]string{}, VmPathName: vm.Config.Files.VmPathName,
			Cpus: vm.Config.Hardware.NumCPU, MemoryMB: vm.Config.Hardware.MemoryMB,
		}
		if vm.Parent != nil {
			one.Folder = vm.Parent.Value
		}
		for _, option := range vm.Config.ExtraConfig {
			value := option.GetOptionValue()
			one.ExtraConfig[value.Key] = fmt.Sprint(value.Value)
		}
		for _, value := range vm.CustomValue {
			if text, ok := value.(*types.CustomFieldStringValue); ok {
				one.Fields[fmt.Sprint(text.Key)] = text.Value
			}
		}
		for _, device := range vm.Config.Hardware.Device {
			one.Devices = append(one.Devices, told(device))
		}
		result.Vms = append(result.Vms, one)
	}
	for _, entity := range simulator.Map.All("Datastore") {
		store := entity.(*simulator.Datastore)
		root := store.Info.GetDatastoreInfo().Url
		result.Datastores[store.Name] = root
		_ = filepath.Walk(root, func(name string, info os.FileInfo, err error) error {
			if err == nil && !info.IsDir() {
				rest, _ := filepath.Rel(root, name)
				result.Files = append(result.Files, "["+store.Name+"] "+rest)
			}
			return nil
		})
	}
	return result
}

func told(device types.BaseVirtualDevice) labDevice {
	base := device.GetVirtualDevice()
	one := labDevice{Kind: fmt.Sprintf("%T", device)[len("*types."):], Key: base.Key}
	if card, ok := device.(types.BaseVirtualEthernetCard); ok {
		one.Mac = card.GetVirtualEthernetCard().MacAddress
	}
	if disk, ok := device.(*types.VirtualDisk); ok {
		one.CapacityKB = disk.CapacityInKB
	}
	switch backing := base.Backing.(type) {
	case types.BaseVirtualDeviceFileBackingInfo:
		one.File = backing.GetVirtualDeviceFileBackingInfo().FileName
	case *types.VirtualEthernetCardNetworkBackingInfo:
		one.Network = backing.DeviceName
	case *types.VirtualEthernetCardDistributedVirtualPortBackingInfo:
		one.Network = backing.Port.PortgroupKey
	}
	return one
}

func find(ref string) (*simulator.VirtualMachine, error) {
	for _, vm := range virtualMachines() {
		if vm.Self.Value == ref {
			return vm, nil
		}
	}
	return nil, fmt.Errorf("no VM %s", ref)
}

// What the tools in the guest tell: an address for each network card, in their order.
func setGuest(body []byte) (interface{}, error) {
	var wish struct {
		Vm        string
		Addresses [][]string
		Tools     bool
	}
	if err := json.Unmarshal(body, &wish); err != nil {
		return nil, err
	}
	vm, err := find(wish.Vm)
	if err != nil {
		return nil, err
	}
	nics := []types.GuestNicInfo{}
	first := ""
	at := 0
	for _, device := range vm.Config.Hardware.Device {
		card, ok := device.(types.BaseVirtualEthernetCard)
		if !ok {
			continue
		}
		base := card.GetVirtualEthernetCard()
		nic := types.GuestNicInfo{Network: "VM Network", MacAddress: base.MacAddress, Connected: true, DeviceConfigId: base.Key}
		if at < len(wish.Addresses) {
			nic.IpAddress = wish.Addresses[at]
			if first == "" && len(wish.Addresses[at]) > 0 {
				first = wish.Addresses[at][0]
			}
		}
		nics = append(nics, nic)
		at++
	}
	if at < len(wish.Addresses) {
		// Bridges inside of the guest, which have no card.
		for _, addresses := range wish.Addresses[at:] {
			nics = append(nics, types.GuestNicInfo{MacAddress: "02:42:00:00:00:01", IpAddress: addresses, DeviceConfigId: -1})
		}
	}
	running := string(types.VirtualMachineToolsRunningStatusGuestToolsNotRunning)
	if wish.Tools {
		running = string(types.VirtualMachineToolsRunningStatusGuestToolsRunning)
	}
	simulator.Map.Update(vm, []types.PropertyChange{
		{Name: "guest.net", Val: nics},
		{Name: "guest.ipAddress", Val: first},
		{Name: "guest.toolsRunningStatus", Val: running},
	})
	return nil, nil
}

// Someone else's machine.
func makeVM(body []byte) (interface{}, error) {
	var wish struct {
		Name, Datastore, InstanceUuid, Folder string
		Template                              bool
		ExtraConfig                           map[string]string
	}
	if err := json.Unmarshal(body, &wish); err != nil {
		return nil, err
	}
	model := simulator.Map.Any("VirtualMachine").(*simulator.VirtualMachine)
	folder := simulator.Map.Get(*model.Parent).(*simulator.Folder)
	if wish.Folder != "" {
		folder = simulator.Map.Get(types.ManagedObjectReference{Type: "Folder", Value: wish.Folder}).(*simulator.Folder)
	}
	spec := types.VirtualMachineConfigSpec{
		Name: wish.Name, InstanceUuid: wish.InstanceUuid, NumCPUs: 1, MemoryMB: 512, GuestId: "debian10_64Guest",
		Files: &types.VirtualMachineFileInfo{VmPathName: "[" + wish.Datastore + "]"},
		DeviceChange: []types.BaseVirtualDeviceConfigSpec{
			&types.VirtualDeviceConfigSpec{Operation: "add", Device: &types.ParaVirtualSCSIController{VirtualSCSIController: types.VirtualSCSIController{
				SharedBus: types.VirtualSCSISharingNoSharing, VirtualController: types.VirtualController{VirtualDevice: types.VirtualDevice{Key: -1}}}}},
			&types.VirtualDeviceConfigSpec{Operation: "add", FileOperation: "create", Device: &types.VirtualDisk{CapacityInKB: 1024 * 1024,
				VirtualDevice: types.VirtualDevice{Key: -2, ControllerKey: -1, UnitNumber: new(int32),
					Backing: &types.VirtualDiskFlatVer2BackingInfo{DiskMode: "persistent", ThinProvisioned: types.NewBool(true)}}}},
			&types.VirtualDeviceConfigSpec{Operation: "add", Device: &types.VirtualE1000{VirtualEthernetCard: types.VirtualEthernetCard{
				VirtualDevice: types.VirtualDevice{Key: -3, Backing: &types.VirtualEthernetCardNetworkBackingInfo{
					VirtualDeviceDeviceBackingInfo: types.VirtualDeviceDeviceBackingInfo{DeviceName: "VM Network"}}}}}},
		},
	}
	for key, value := range wish.ExtraConfig {
		spec.ExtraConfig = append(spec.ExtraConfig, &types.OptionValue{Key: key, Value: value})
	}
	made := folder.CreateVMTask(labContext(), &types.CreateVM_Task{This: folder.Self, Config: spec, Pool: *model.ResourcePool, Host: model.Runtime.Host})
	task := simulator.Map.Get(made.(*methods.CreateVM_TaskBody).Res.Returnval).(*simulator.Task)
	if task.Info.Error != nil {
		return nil, fmt.Errorf("%s", task.Info.Error.LocalizedMessage)
	}
	ref := task.Info.Result.(types.ManagedObjectReference)
	vm := simulator.Map.Get(ref).(*simulator.VirtualMachine)
	if wish.Template {
		vm.MarkAsTemplate(&types.MarkAsTemplate{This: ref})
	}
	return ref.Value, nil
}

// Beside the folder that machines are made in.
func makeFolder(body []byte) (interface{}, error) {
	var wish struct{ Name string }
	if err := json.Unmarshal(body, &wish); err != nil {
		return nil, err
	}
	model := simulator.Map.Any("VirtualMachine").(*simulator.VirtualMachine)
	folder := simulator.Map.Get(*model.Parent).(*simulator.Folder)
	made := folder.CreateFolder(labContext(), &types.CreateFolder{This: folder.Self, Name: wish.Name})
	return made.(*methods.CreateFolderBody).Res.Returnval.Value, nil
}

func destroyVM(body []byte) (interface{}, error) {
	var wish struct{ Vm string }
	if err := json.Unmarshal(body, &wish); err != nil {
		return nil, err
	}
	vm, err := find(wish.Vm)
	if err != nil {
		return nil, err
	}
	vm.Runtime.PowerState = types.VirtualMachinePowerStatePoweredOff
	vm.DestroyTask(labContext(), &types.Destroy_Task{This: vm.Self})
	return nil, nil
}

// A disk that is there already, as an administrator would attach it.
func attachDisk(body []byte) (interface{}, error) {
	var wish struct{ Vm, File string }
	if err := json.Unmarshal(body, &wish); err != nil {
		return nil, err
	}
	vm, err := find(wish.Vm)
	if err != nil {
		return nil, err
	}
	unit := int32(5)
	controller := int32(0)
	for _, device := range vm.Config.Hardware.Device {
		if scsi, ok := device.(types.BaseVirtualSCSIController); ok {
			controller = scsi.GetVirtualSCSIController().Key
		}
	}
	vm.Config.Hardware.Device = append(vm.Config.Hardware.Device, &types.VirtualDisk{CapacityInKB: 1024 * 1024,
		VirtualDevice: types.VirtualDevice{Key: 2999, ControllerKey: controller, UnitNumber: &unit,
			Backing: &types.VirtualDiskFlatVer2BackingInfo{DiskMode: "persistent",
				VirtualDeviceFileBackingInfo: types.VirtualDeviceFileBackingInfo{FileName: wish.File}}}})
	return nil, nil
}

func renameVM(body []byte) (interface{}, error) {
	var wish struct{ Vm, Name, InstanceUuid, Annotation string }
	if err := json.Unmarshal(body, &wish); err != nil {
		return nil, err
	}
	vm, err := find(wish.Vm)
	if err != nil {
		return nil, err
	}
	if wish.Name != "" {
		simulator.Map.Update(vm, []types.PropertyChange{{Name: "name", Val: wish.Name}, {Name: "config.name", Val: wish.Name}})
	}
	if wish.Annotation != "" {
		vm.Config.Annotation = wish.Annotation
	}
	if wish.InstanceUuid != "" {
		vm.Config.InstanceUuid = wish.InstanceUuid
	}
	return nil, nil
}

func datastoreRef(body []byte) (interface{}, error) {
	var wish struct{ Name string }
	if err := json.Unmarshal(body, &wish); err != nil {
		return nil, err
	}
	for _, entity := range simulator.Map.All("Datastore") {
		if entity.(*simulator.Datastore).Name == wish.Name {
			return entity.Reference().Value, nil
		}
	}
	return nil, fmt.Errorf("no datastore %s", wish.Name)
}

// A custom attribute; its number.
func addField(body []byte) (interface{}, error) {
	var wish struct{ Name string }
	if err := json.Unmarshal(body, &wish); err != nil {
		return nil, err
	}
	manager := simulator.Map.CustomFieldsManager()
	made := manager.AddCustomFieldDef(&types.AddCustomFieldDef{This: manager.Self, Name: wish.Name, MoType: "VirtualMachine"})
	return made.(*methods.AddCustomFieldDefBody).Res.Returnval.Key, nil
}

func setSpace(body []byte) (interface{}, error) {
	var wish struct {
		Datastore string
		FreeBytes int64
	}
	if err := json.Unmarshal(body, &wish); err != nil {
		return nil, err
	}
	for _, entity := range simulator.Map.All("Datastore") {
		if store := entity.(*simulator.Datastore); store.Name == wish.Datastore {
			simulator.Map.Update(store, []types.PropertyChange{{Name: "summary.freeSpace", Val: wish.FreeBytes}, {Name: "info.freeSpace", Val: wish.FreeBytes}})
		}
	}
	return nil, nil
}

// The first cluster of datastores gets the named one, and recommends.
func fillPod(body []byte) (interface{}, error) {
	var wish struct{ Datastore string }
	if err := json.Unmarshal(body, &wish); err != nil {
		return nil, err
	}
	pod := simulator.Map.Any("StoragePod").(*simulator.StoragePod)
	pod.PodStorageDrsEntry.StorageDrsConfig.PodConfig.Enabled = true
	for _, entity := range simulator.Map.All("Datastore") {
		if entity.(*simulator.Datastore).Name == wish.Datastore {
			pod.MoveIntoFolderTask(labContext(), &types.MoveIntoFolder_Task{This: pod.Self, List: []types.ManagedObjectReference{entity.Reference()}})
		}
	}
	return pod.Name, nil
}
