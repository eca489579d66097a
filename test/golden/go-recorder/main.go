// Command recorder runs the cases of the files named on its command line through Go's standard library and writes
// the answers beside them. A case is one JSON line with "op" and that operation's inputs; the answer goes to "out",
// or to "error" when Go reports one. To add a case, add a line without an answer and run
//
//	go run . ../../fixtures/go/*.jsonl
//
// Template cases name their data in template-data.json of the same folder, or bring their own.
package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"unicode/utf8"
)

type fields map[string]any

var datasets fields

func main() {
	for _, name := range os.Args[1:] {
		datasets = readDatasets(filepath.Join(filepath.Dir(name), "template-data.json"))
		recorded := record(must(os.ReadFile(name)))
		check(os.WriteFile(name, recorded, 0o644))
	}
}

func readDatasets(name string) fields {
	var read fields
	check(json.Unmarshal(must(os.ReadFile(name)), &read))
	return read
}

func record(lines []byte) []byte {
	var out bytes.Buffer
	scanner := bufio.NewScanner(bytes.NewReader(lines))
	scanner.Buffer(nil, 1<<24)
	for scanner.Scan() {
		var input fields
		check(json.Unmarshal(scanner.Bytes(), &input))
		answer(input)
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		check(encoder.Encode(input))
	}
	check(scanner.Err())
	return out.Bytes()
}

func answer(input fields) {
	delete(input, "out")
	delete(input, "error")
	operation, known := operations[input.text("op")]
	if !known {
		panic(fmt.Sprintf("unknown operation in %v", input))
	}
	out, err := operation(input)
	if err != nil {
		input["error"] = portable(err.Error())
	}
	if err == nil || out != nil {
		input["out"] = portable(out)
	}
}

// portable keeps bytes that JSON strings cannot hold.
func portable(out any) any {
	if text, ok := out.(string); ok && !utf8.ValidString(text) {
		return fields{"hex": hex.EncodeToString([]byte(text))}
	}
	return out
}

func (f fields) text(name string) string {
	text, _ := decode(f[name]).(string)
	return text
}

func (f fields) number(name string) int {
	number, _ := f[name].(float64)
	return int(number)
}

func (f fields) list(name string) []any {
	list, _ := f[name].([]any)
	decoded := make([]any, len(list))
	for i, value := range list {
		decoded[i] = decode(value)
	}
	return decoded
}
