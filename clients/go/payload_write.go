package caraway

import (
	"encoding"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

const (
	maxDepth  = 100  // containers in one another
	maxDigits = 4300 // of an integer
	tagKey    = "$caraway"
)

// Marshal writes a value as the exact JSON text of docs/payload.md: what a task gets or returns.
//
// Go's own types are written as encoding/json does, with its struct tags; integers of any size ([*big.Int]) stay exact,
// and a float keeps a fraction ("2.0"). [time.Time], [time.Duration], []byte, [uuid.UUID], [Date], [LocalDateTime],
// [TimeOfDay], [Decimal], [Tuple] and [Set] are tagged, so that they arrive as what they are in every language. Times and
// durations are cut to microseconds. It fails with a [*PayloadError] for what has no form: NaN, channels, functions,
// text that is not UTF-8, more than 100 containers in one another.
func Marshal(value any) ([]byte, error) {
	return appendValue(make([]byte, 0, 64), value, 0)
}

func appendValue(to []byte, value any, depth int) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return append(to, "null"...), nil
	case bool:
		return strconv.AppendBool(to, v), nil
	case string:
		return appendText(to, v)
	case int:
		return strconv.AppendInt(to, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(to, v, 10), nil
	case float64:
		return appendFloat(to, v, 64)
	case []byte:
		return appendTagged(to, "bytes", base64.StdEncoding.EncodeToString(v)), nil
	case []any:
		return appendList(to, v, depth)
	case map[string]any:
		return appendObject(to, v, depth)
	}
	if to, known, err := appendKnown(to, value, depth); known {
		return to, err
	}
	return appendReflected(to, reflect.ValueOf(value), depth)
}

// appendKnown writes the types that have a tag, or a form that is not that of their kind.
func appendKnown(to []byte, value any, depth int) ([]byte, bool, error) {
	switch v := value.(type) {
	case time.Time:
		text, err := formatInstant(v)
		if err != nil {
			return nil, true, unwritable("%v", err)
		}
		return appendTagged(to, "datetime", text), true, nil
	case time.Duration:
		return appendTagged(to, "duration", formatDuration(v)), true, nil
	case uuid.UUID:
		return appendTagged(to, "uuid", v.String()), true, nil
	case Date:
		return appendChecked(to, "date", string(v), v.check())
	case LocalDateTime:
		return appendChecked(to, "datetime", string(v), v.check())
	case TimeOfDay:
		return appendChecked(to, "time", string(v), v.check())
	case Decimal:
		return appendChecked(to, "decimal", string(v), v.check())
	case Tuple:
		to = append(to, `{"$caraway":"tuple","value":`...)
		to, err := appendList(to, v, depth)
		return append(to, '}'), true, err
	case Set:
		to, err := appendSet(to, v, depth)
		return to, true, err
	case json.RawMessage:
		return appendRaw(to, v)
	}
	return appendExact(to, value)
}

// appendExact writes the types of numbers of any size.
func appendExact(to []byte, value any) ([]byte, bool, error) {
	var text string
	switch v := value.(type) {
	case *big.Int:
		if v == nil {
			return append(to, "null"...), true, nil
		}
		text = v.String()
	case big.Int:
		text = v.String()
	case json.Number:
		text = v.String()
	case *big.Rat:
		return appendRat(to, v)
	default:
		return to, false, nil
	}
	to, err := appendNumber(to, text)
	return to, true, err
}

func appendReflected(to []byte, v reflect.Value, depth int) ([]byte, error) {
	kind := v.Kind()
	if (kind == reflect.Pointer || kind == reflect.Map || kind == reflect.Slice || kind == reflect.Interface) && v.IsNil() {
		return append(to, "null"...), nil
	}
	if to, done, err := appendByMethod(to, v); done {
		return to, err
	}
	switch kind {
	case reflect.Pointer, reflect.Interface:
		if depth++; depth > maxDepth {
			return nil, tooDeep()
		}
		return appendValue(to, v.Elem().Interface(), depth)
	case reflect.Bool:
		return strconv.AppendBool(to, v.Bool()), nil
	case reflect.String:
		return appendText(to, v.String())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.AppendInt(to, v.Int(), 10), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return strconv.AppendUint(to, v.Uint(), 10), nil
	case reflect.Float32:
		return appendFloat(to, v.Float(), 32)
	case reflect.Float64:
		return appendFloat(to, v.Float(), 64)
	case reflect.Slice, reflect.Array:
		return appendItems(to, v, depth)
	case reflect.Map:
		return appendMap(to, v, depth)
	case reflect.Struct:
		return appendStruct(to, v, depth)
	}
	return nil, unwritable("a %s has no form", v.Type())
}

func appendItems(to []byte, v reflect.Value, depth int) ([]byte, error) {
	if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
		return appendTagged(to, "bytes", base64.StdEncoding.EncodeToString(v.Bytes())), nil
	}
	items := make([]any, v.Len())
	for i := range items {
		items[i] = v.Index(i).Interface()
	}
	return appendList(to, items, depth)
}

// appendByMethod asks the type itself, as encoding/json does.
func appendByMethod(to []byte, v reflect.Value) ([]byte, bool, error) {
	switch own := v.Interface().(type) {
	case json.Marshaler:
		text, err := own.MarshalJSON()
		if err != nil {
			return nil, true, unwritable("a %s: %v", v.Type(), err)
		}
		return appendRaw(to, text)
	case encoding.TextMarshaler:
		text, err := own.MarshalText()
		if err != nil {
			return nil, true, unwritable("a %s: %v", v.Type(), err)
		}
		to, err = appendText(to, string(text))
		return to, true, err
	}
	return to, false, nil
}

func appendRaw(to, text []byte) ([]byte, bool, error) {
	if _, err := readText(string(text)); err != nil {
		return nil, true, err
	}
	return append(to, text...), true, nil
}

func appendList(to []byte, items []any, depth int) ([]byte, error) {
	if depth++; depth > maxDepth {
		return nil, tooDeep()
	}
	var err error
	to = append(to, '[')
	for i, item := range items {
		if i > 0 {
			to = append(to, ',')
		}
		if to, err = appendValue(to, item, depth); err != nil {
			return nil, err
		}
	}
	return append(to, ']'), nil
}

func appendMap(to []byte, v reflect.Value, depth int) ([]byte, error) {
	if v.Type().Elem() == reflect.TypeFor[struct{}]() {
		members := make(Set, 0, v.Len())
		for _, key := range v.MapKeys() {
			members = append(members, key.Interface())
		}
		return appendSet(to, members, depth)
	}
	if v.Type().Key().Kind() != reflect.String {
		return nil, unwritable("the keys of an object are strings, and those of a %s are not", v.Type())
	}
	members := make(map[string]any, v.Len())
	for each := v.MapRange(); each.Next(); {
		members[each.Key().String()] = each.Value().Interface()
	}
	return appendObject(to, members, depth)
}

// appendObject writes the members in the order of their keys, so that the same call twice is the same text.
func appendObject(to []byte, members map[string]any, depth int) ([]byte, error) {
	keys := make([]string, 0, len(members))
	for key := range members {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return appendMembers(to, keys, func(i int) any { return members[keys[i]] }, depth)
}

func appendStruct(to []byte, v reflect.Value, depth int) ([]byte, error) {
	var keys []string
	var values []any
	for _, field := range fieldsOf(v.Type()) {
		member, err := v.FieldByIndexErr(field.index)
		if err != nil || (field.optional && member.IsZero()) {
			continue // of an embedded pointer that is nil, or left out
		}
		keys, values = append(keys, field.name), append(values, member.Interface())
	}
	return appendMembers(to, keys, func(i int) any { return values[i] }, depth)
}

func appendMembers(to []byte, keys []string, value func(int) any, depth int) ([]byte, error) {
	if depth++; depth > maxDepth {
		return nil, tooDeep()
	}
	opening, between, closing := byte('{'), byte(':'), "}"
	before, after := "", ""
	for _, key := range keys {
		if key == tagKey {
			to = append(to, `{"$caraway":"object","value":`...)
			opening, between, closing, before, after = '[', ',', "]}", "[", "]"
		}
	}
	var err error
	to = append(to, opening)
	for i, key := range keys {
		if i > 0 {
			to = append(to, ',')
		}
		if to, err = appendText(append(to, before...), key); err != nil {
			return nil, err
		}
		if to, err = appendValue(append(to, between), value(i), depth); err != nil {
			return nil, err
		}
		to = append(to, after...)
	}
	return append(to, closing...), nil
}

// appendSet sorts the members by their text.
func appendSet(to []byte, members Set, depth int) ([]byte, error) {
	if depth++; depth > maxDepth {
		return nil, tooDeep()
	}
	texts := make([]string, len(members))
	for i, member := range members {
		if !canBeMember(member) {
			return nil, unwritable("a set's members are values that can be compared, not lists or objects")
		}
		text, err := appendValue(nil, member, depth)
		if err != nil {
			return nil, err
		}
		texts[i] = string(text)
	}
	sort.Strings(texts)
	to = append(to, `{"$caraway":"set","value":[`...)
	for i, text := range texts {
		if i > 0 {
			to = append(to, ',')
		}
		to = append(to, text...)
	}
	return append(to, "]}"...), nil
}

func canBeMember(value any) bool {
	switch v := value.(type) {
	case nil, []byte:
		return true
	case Tuple:
		for _, member := range v {
			if !canBeMember(member) {
				return false
			}
		}
		return true
	}
	kind := reflect.TypeOf(value).Kind()
	return kind != reflect.Slice && kind != reflect.Map && (kind != reflect.Struct || reflect.TypeOf(value).Comparable())
}

func appendText(to []byte, text string) ([]byte, error) {
	if !utf8.ValidString(text) {
		return nil, unwritable("a text is not UTF-8; send bytes instead")
	}
	const hex = "0123456789abcdef"
	to = append(to, '"')
	start := 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		to = append(to, text[start:i]...)
		start = i + 1
		if at := strings.IndexByte("\"\\\n\r\t\b\f", c); at >= 0 {
			to = append(to, '\\', `"\nrtbf`[at])
		} else {
			to = append(to, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(to, text[start:]...), '"'), nil
}

// appendFloat writes the shortest form that reads back as the same double, never that of an integer.
func appendFloat(to []byte, value float64, bits int) ([]byte, error) {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return nil, unwritable("%v has no form in JSON", value)
	}
	if size := math.Abs(value); size != 0 && (size < 1e-4 || size >= 1e16) {
		return strconv.AppendFloat(to, value, 'e', -1, bits), nil
	}
	start := len(to)
	to = strconv.AppendFloat(to, value, 'f', -1, bits)
	if indexAny(string(to[start:]), ".") < 0 {
		to = append(to, ".0"...)
	}
	return to, nil
}

func appendNumber(to []byte, text string) ([]byte, error) {
	if _, err := readNumber(text); err != nil || text == "" {
		return nil, unwritable("%.50q is no number", text)
	}
	if len(text) > maxDigits && indexAny(text, ".eE") < 0 {
		return nil, unwritable("an integer has more than %d digits", maxDigits)
	}
	return append(to, text...), nil
}

// appendRat writes a fraction as a decimal. It fails for one that has no end, such as 1/3.
func appendRat(to []byte, value *big.Rat) ([]byte, bool, error) {
	if value == nil {
		return append(to, "null"...), true, nil
	}
	digits, exact := value.FloatPrec()
	if !exact {
		return nil, true, unwritable("the fraction %.50s has no end as a decimal number; round it", value.RatString())
	}
	return appendTagged(to, "decimal", value.FloatString(digits)), true, nil
}

func appendChecked(to []byte, tag, text string, err error) ([]byte, bool, error) {
	if err != nil {
		return nil, true, unwritable("a %s has another form: %v", tag, err)
	}
	return appendTagged(to, tag, text), true, nil
}

// appendTagged writes texts that need no escapes.
func appendTagged(to []byte, tag, text string) []byte {
	return fmt.Appendf(to, `{"$caraway":"%s","value":"%s"}`, tag, text)
}

func tooDeep() error {
	return unwritable("more than %d containers stand in one another", maxDepth)
}
