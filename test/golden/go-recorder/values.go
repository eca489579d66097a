package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"recorder/commands"
)

// decode turns a case's JSON into the Go value it stands for: JSON data as encoding/json decodes it, and other types
// as objects with one key that starts with "$".
func decode(data any) any {
	switch data := data.(type) {
	case map[string]any:
		for key, value := range data {
			if strings.HasPrefix(key, "$") {
				return decodeTyped(key, value)
			}
		}
		decoded := make(map[string]any, len(data))
		for key, value := range data {
			decoded[key] = decode(value)
		}
		return decoded
	case []any:
		decoded := make([]any, len(data))
		for i, value := range data {
			decoded[i] = decode(value)
		}
		return decoded
	}
	return data
}

func decodeTyped(kind string, value any) any {
	switch kind {
	case "$int":
		return int(must(strconv.ParseInt(value.(string), 10, 64)))
	case "$uint8":
		return uint8(must(strconv.ParseUint(value.(string), 10, 8)))
	case "$float":
		return must(strconv.ParseFloat(value.(string), 64))
	case "$complex":
		parts := value.([]any)
		return complex(parts[0].(float64), parts[1].(float64))
	case "$bytes":
		return string(must(hex.DecodeString(value.(string))))
	case "$duration":
		return time.Duration(must(strconv.ParseInt(value.(string), 10, 64)))
	case "$item":
		return itemOf(value)
	case "$itemPointer":
		item := itemOf(value)
		return &item
	case "$func":
		return functions[value.(string)]
	}
	panic("unknown kind " + kind)
}

func itemOf(value any) commands.HostListItem {
	var item commands.HostListItem
	check(json.Unmarshal(must(json.Marshal(value)), &item))
	return item
}

// functions can stand as values in template data, for call.
var functions = map[string]any{
	"upper":  strings.ToUpper,
	"sum":    func(a, b int) int { return a + b },
	"join":   func(separator string, parts ...string) string { return strings.Join(parts, separator) },
	"refuse": func(why string) (string, error) { return "", fmt.Errorf("refused: %s", why) },
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
