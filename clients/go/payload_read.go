package caraway

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// Unmarshal reads JSON text of docs/payload.md into what target points to.
//
// Into an any it gives nil, bool, string, int64 ([*big.Int] where that is too small), float64, []any, map[string]any, and
// for tagged values []byte, [time.Time], [LocalDateTime], [Date], [TimeOfDay], [time.Duration], [Decimal], [uuid.UUID],
// [Tuple] and [Set]. Into types of your own it goes as encoding/json does, but exactly: a number that does not fit is
// refused, never rounded, and so is null for what is neither pointer, map, slice nor interface. Errors are [*PayloadError].
func Unmarshal(text []byte, target any) error {
	value, err := readText(string(text))
	if err != nil {
		return err
	}
	return assignTo(target, value)
}

func assignTo(target, value any) error {
	to := reflect.ValueOf(target)
	if to.Kind() != reflect.Pointer || to.IsNil() {
		return unreadable("a value is read into what a pointer points to, not into a %T", target)
	}
	return assign(to.Elem(), value)
}

func readText(text string) (any, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var raw any
	err := decoder.Decode(&raw)
	if err == nil {
		if _, err = decoder.Token(); err == nil {
			err = errors.New("more follows after the value")
		} else if errors.Is(err, io.EOF) {
			err = nil
		}
	}
	if err != nil {
		return nil, unreadable("a payload can't be read: %v", err)
	}
	if halfSurrogate(text) {
		return nil, unreadable("a payload can't be read: it has half a surrogate pair, which is no Unicode")
	}
	return readValue(raw)
}

var surrogates = regexp.MustCompile(`\\+u[dD][89abAB][0-9a-fA-F]{2}(\\u[dD][c-fC-F][0-9a-fA-F]{2})?|\\+u[dD][c-fC-F][0-9a-fA-F]{2}`)

// halfSurrogate finds escapes that encoding/json would read as U+FFFD.
func halfSurrogate(text string) bool {
	if !strings.Contains(text, `\u`) {
		return false
	}
	for _, found := range surrogates.FindAllString(text, -1) {
		slashes := len(found) - len(strings.TrimLeft(found, `\`))
		if isEscape := slashes%2 == 1; isEscape && len(found) == slashes+5 {
			return true
		}
	}
	return false
}

// readValue gives numbers and tagged values their types, from the inside outward, in place.
func readValue(raw any) (any, error) {
	var err error
	switch v := raw.(type) {
	case json.Number:
		return readNumber(string(v))
	case []any:
		for i := range v {
			if v[i], err = readValue(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for key := range v {
			if v[key], err = readValue(v[key]); err != nil {
				return nil, err
			}
		}
		if tag, tagged := v[tagKey]; tagged {
			return untag(tag, v)
		}
	}
	return raw, nil
}

func readNumber(text string) (any, error) {
	if indexAny(text, ".eE") >= 0 {
		number, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsInf(number, 0) {
			return nil, unreadable("the number %.50s is no double", text)
		}
		return number, nil
	}
	if number, err := strconv.ParseInt(text, 10, 64); err == nil {
		return number, nil
	}
	number, ok := new(big.Int).SetString(text, 10)
	if !ok {
		return nil, unreadable("%.50q is no number", text)
	}
	return number, nil
}

// untag reads a tagged value. Errors show none of it: it may be one that nobody is to see.
func untag(tag any, members map[string]any) (any, error) {
	name, _ := tag.(string)
	value, has := members["value"]
	read, known := tagReaders[name]
	if !known {
		return nil, unreadable("the tag %.50q is not known; a newer Caraway, or another program, may have written it", fmt.Sprint(tag))
	}
	if len(members) != 2 || !has {
		return nil, unreadable(`an object tagged %q is to have one more member, "value"`, name)
	}
	made, err := read(value)
	if err != nil {
		return nil, unreadable("the value of an object tagged %q has another form", name)
	}
	return made, nil
}

var errForm = errors.New("another form")

func textReader[T any](read func(string) (T, error)) func(any) (any, error) {
	return func(value any) (any, error) {
		text, ok := value.(string)
		if !ok {
			return nil, errForm
		}
		return read(text)
	}
}

func checked[T interface {
	~string
	check() error
}](text string) (T, error) {
	return T(text), T(text).check()
}

var tagReaders = map[string]func(any) (any, error){
	"bytes":    textReader(base64.StdEncoding.Strict().DecodeString),
	"date":     textReader(checked[Date]),
	"datetime": textReader(readDateTime),
	"decimal":  textReader(checked[Decimal]),
	"duration": textReader(readDuration),
	"time":     textReader(checked[TimeOfDay]),
	"uuid":     textReader(readUUID),
	"tuple":    func(value any) (any, error) { list, ok := value.([]any); return Tuple(list), formed(ok) },
	"set":      readSet,
	"object":   readPairs,
}

func formed(ok bool) error {
	if !ok {
		return errForm
	}
	return nil
}

func readUUID(text string) (uuid.UUID, error) {
	if len(text) != 36 {
		return uuid.Nil, errForm
	}
	return uuid.Parse(text)
}

func readSet(value any) (any, error) {
	list, ok := value.([]any)
	for _, member := range list {
		ok = ok && canBeMember(member)
	}
	return Set(list), formed(ok)
}

func readPairs(value any) (any, error) {
	pairs, ok := value.([]any)
	members := make(map[string]any, len(pairs))
	for _, each := range pairs {
		pair, _ := each.([]any)
		if len(pair) != 2 {
			return nil, errForm
		}
		key, isText := pair[0].(string)
		if !isText {
			return nil, errForm
		}
		members[key] = pair[1]
	}
	return members, formed(ok)
}
