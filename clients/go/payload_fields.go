package caraway

import (
	"reflect"
	"strings"
	"sync"
)

// field is one of a struct's, as payloads see it.
type field struct {
	name     string
	index    []int
	optional bool // omitempty or omitzero
}

var knownFields sync.Map // reflect.Type to []field

// fieldsOf lists the exported fields of a struct, those of embedded ones too, by the tags of encoding/json.
func fieldsOf(t reflect.Type) []field {
	if known, ok := knownFields.Load(t); ok {
		return known.([]field)
	}
	var fields []field
	for _, member := range reflect.VisibleFields(t) {
		name, flags, _ := strings.Cut(member.Tag.Get("json"), ",")
		if !member.IsExported() || (name == "-" && flags == "") || (member.Anonymous && name == "" && isStruct(member.Type)) {
			continue
		}
		if name == "" {
			name = member.Name
		}
		omit := strings.Contains(","+flags+",", ",omitempty,") || strings.Contains(","+flags+",", ",omitzero,")
		fields = append(fields, field{name, member.Index, omit})
	}
	knownFields.Store(t, fields)
	return fields
}

func isStruct(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct
}

// fieldNamed finds a field by its name, or else by its name in another case, as encoding/json does.
func fieldNamed(fields []field, name string) *field {
	for i := range fields {
		if fields[i].name == name {
			return &fields[i]
		}
	}
	for i := range fields {
		if strings.EqualFold(fields[i].name, name) {
			return &fields[i]
		}
	}
	return nil
}

func indexAny(text, characters string) int { return strings.IndexAny(text, characters) }
