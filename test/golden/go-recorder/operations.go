package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"text/tabwriter"
	"text/template"
	"time"
)

// Each operation returns what the fixture keeps; an answer beside an error is what was written before it.
var operations = map[string]func(fields) (any, error){
	"sprintf": func(in fields) (any, error) {
		return fmt.Sprintf(in.text("format"), in.list("args")...), nil
	},
	"sprint":   func(in fields) (any, error) { return fmt.Sprint(in.list("args")...), nil },
	"sprintln": func(in fields) (any, error) { return fmt.Sprintln(in.list("args")...), nil },
	"formatFloat": func(in fields) (any, error) {
		bits := must(strconv.ParseUint(in.text("bits"), 16, 64))
		return strconv.FormatFloat(math.Float64frombits(bits), in.text("format")[0], in.number("precision"), 64), nil
	},
	"quote":      func(in fields) (any, error) { return strconv.Quote(in.text("text")), nil },
	"quoteAscii": func(in fields) (any, error) { return strconv.QuoteToASCII(in.text("text")), nil },
	"unquote": func(in fields) (any, error) {
		return orError(strconv.Unquote(in.text("text")))
	},
	"parseBool": func(in fields) (any, error) { return orError(strconv.ParseBool(in.text("text"))) },
	"atoi": func(in fields) (any, error) {
		value, err := strconv.Atoi(in.text("text"))
		return orError(strconv.Itoa(value), err)
	},
	"parseInt": func(in fields) (any, error) {
		value, err := strconv.ParseInt(in.text("text"), in.number("base"), in.number("bits"))
		return orError(strconv.FormatInt(value, 10), err)
	},
	"parseFloat": func(in fields) (any, error) {
		value, err := strconv.ParseFloat(in.text("text"), 64)
		return orError(fmt.Sprintf("%016x", math.Float64bits(value)), err)
	},
	"formatDuration": func(in fields) (any, error) {
		return time.Duration(must(strconv.ParseInt(in.text("nanoseconds"), 10, 64))).String(), nil
	},
	"parseDuration": func(in fields) (any, error) {
		value, err := time.ParseDuration(in.text("text"))
		return orError(strconv.FormatInt(int64(value), 10), err)
	},
	"json": func(in fields) (any, error) {
		return orError(jsonText(json.Marshal(decode(in["data"]))))
	},
	"prettyjson": func(in fields) (any, error) {
		return orError(jsonText(json.MarshalIndent(decode(in["data"]), "", "    ")))
	},
	"tabwriter": tabulate,
	"regexp":    find,
	"template":  render,
}

func orError[T any](value T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return value, nil
}

func jsonText(data []byte, err error) (string, error) {
	return string(data), err
}

func tabulate(in fields) (any, error) {
	var out bytes.Buffer
	padding := in.text("padchar")[0]
	writer := tabwriter.NewWriter(&out, in.number("minwidth"), in.number("tabwidth"), in.number("padding"), padding, tabwriterFlags(in))
	if _, err := writer.Write([]byte(in.text("text"))); err != nil {
		return nil, err
	}
	err := writer.Flush()
	return out.String(), err
}

func tabwriterFlags(in fields) uint {
	names := map[string]uint{
		"filterHtml":          tabwriter.FilterHTML,
		"stripEscape":         tabwriter.StripEscape,
		"alignRight":          tabwriter.AlignRight,
		"discardEmptyColumns": tabwriter.DiscardEmptyColumns,
		"tabIndent":           tabwriter.TabIndent,
		"debug":               tabwriter.Debug,
	}
	var flags uint
	for _, name := range in.list("flags") {
		flags |= names[name.(string)]
	}
	return flags
}

// find records, for each subject, the range of the first match in runes, or null.
func find(in fields) (any, error) {
	pattern, err := regexp.Compile(in.text("pattern"))
	if err != nil {
		return nil, err
	}
	ranges := []any{}
	for _, subject := range in.list("subjects") {
		text := subject.(string)
		found := pattern.FindStringIndex(text)
		if found == nil {
			ranges = append(ranges, nil)
			continue
		}
		ranges = append(ranges, []int{len([]rune(text[:found[0]])), len([]rune(text[:found[1]]))})
	}
	return ranges, nil
}

func render(in fields) (any, error) {
	extra := template.FuncMap{}
	if in["functions"] == true {
		extra["json"] = func(value any) string { text, _ := json.Marshal(value); return string(text) }
		extra["prettyjson"] = func(value any) string { text, _ := json.MarshalIndent(value, "", "    "); return string(text) }
		for name, function := range functions {
			extra[name] = function
		}
	}
	parsed, err := template.New(in.text("name")).Funcs(extra).Parse(in.text("text"))
	if err != nil {
		return nil, err
	}
	var out strings.Builder
	data := in["data"]
	if dataset := in.text("dataset"); dataset != "" {
		data = datasets[dataset]
	}
	err = parsed.Execute(&out, decode(data))
	return out.String(), err
}
