package caraway

import (
	"encoding"
	"encoding/json"
	"math/big"
	"reflect"
	"time"

	"github.com/google/uuid"
)

// exact are the types that take a value of their own type only, whatever their kind.
var exact = map[reflect.Type]bool{
	reflect.TypeFor[time.Time]():     true,
	reflect.TypeFor[time.Duration](): true,
	reflect.TypeFor[uuid.UUID]():     true,
	reflect.TypeFor[Date]():          true,
	reflect.TypeFor[LocalDateTime](): true,
	reflect.TypeFor[TimeOfDay]():     true,
}

// assign puts a value that readText gave into a Go variable, or says why it does not fit.
func assign(to reflect.Value, value any) error {
	t := to.Type()
	if t.Kind() == reflect.Interface && t.NumMethod() == 0 {
		if value == nil {
			to.SetZero()
		} else {
			to.Set(reflect.ValueOf(value))
		}
		return nil
	}
	if value == nil {
		return assignNull(to)
	}
	if from := reflect.ValueOf(value); from.Type() == t {
		to.Set(from)
		return nil
	}
	if exact[t] {
		return misfit(value, t)
	}
	if done, err := assignNumber(to, value); done {
		return err
	}
	if t.Kind() == reflect.Pointer {
		if to.IsNil() {
			to.Set(reflect.New(t.Elem()))
		}
		return assign(to.Elem(), value)
	}
	if done, err := assignByMethod(to, value); done {
		return err
	}
	return assignByKind(to, value)
}

func assignNull(to reflect.Value) error {
	switch to.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Interface:
	default:
		if to.Type() != reflect.TypeFor[struct{}]() && to.Type() != reflect.TypeFor[json.RawMessage]() {
			return unreadable("null does not fit into a %s; a pointer to it takes null", to.Type())
		}
	}
	to.SetZero()
	return nil
}

// assignNumber fills the types of numbers that have no kind of their own.
func assignNumber(to reflect.Value, value any) (bool, error) {
	switch target := to.Addr().Interface().(type) {
	case *big.Int:
		switch v := value.(type) {
		case int64:
			target.SetInt64(v)
		case *big.Int:
			target.Set(v)
		default:
			return true, misfit(value, to.Type())
		}
		return true, nil
	case *big.Rat:
		text, ok := decimalText(value)
		if !ok {
			return true, misfit(value, to.Type())
		}
		number, err := Decimal(text).Rat()
		if err != nil {
			return true, unreadable("%v", err)
		}
		target.Set(number)
		return true, nil
	case *Decimal:
		text, ok := decimalText(value)
		if !ok {
			return true, misfit(value, to.Type())
		}
		*target = Decimal(text)
		return true, nil
	}
	return false, nil
}

func decimalText(value any) (string, bool) {
	switch v := value.(type) {
	case Decimal:
		return string(v), true
	case int64:
		return big.NewInt(v).String(), true
	case *big.Int:
		return v.String(), true
	}
	return "", false
}

func assignByMethod(to reflect.Value, value any) (bool, error) {
	switch own := to.Addr().Interface().(type) {
	case json.Unmarshaler:
		text, err := Marshal(value)
		if err == nil {
			err = own.UnmarshalJSON(text)
		}
		if err != nil {
			return true, unreadable("a %s: %v", to.Type(), err)
		}
		return true, nil
	case encoding.TextUnmarshaler:
		text, ok := value.(string)
		if !ok {
			return true, misfit(value, to.Type())
		}
		if err := own.UnmarshalText([]byte(text)); err != nil {
			return true, unreadable("a %s: %v", to.Type(), err)
		}
		return true, nil
	}
	return false, nil
}

func assignByKind(to reflect.Value, value any) error {
	switch to.Kind() {
	case reflect.Bool:
		if v, ok := value.(bool); ok {
			to.SetBool(v)
			return nil
		}
	case reflect.String:
		if v, ok := value.(string); ok {
			to.SetString(v)
			return nil
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if v, ok := value.(int64); ok && !to.OverflowInt(v) {
			to.SetInt(v)
			return nil
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return assignUnsigned(to, value)
	case reflect.Float32, reflect.Float64:
		return assignFloat(to, value)
	case reflect.Slice, reflect.Array:
		return assignList(to, value)
	case reflect.Map:
		return assignMap(to, value)
	case reflect.Struct:
		if members, ok := value.(map[string]any); ok {
			return assignStruct(to, members, false)
		}
	}
	return misfit(value, to.Type())
}

func assignUnsigned(to reflect.Value, value any) error {
	var number uint64
	switch v := value.(type) {
	case int64:
		if v < 0 {
			return misfit(value, to.Type())
		}
		number = uint64(v)
	case *big.Int:
		if !v.IsUint64() {
			return misfit(value, to.Type())
		}
		number = v.Uint64()
	default:
		return misfit(value, to.Type())
	}
	if to.OverflowUint(number) {
		return misfit(value, to.Type())
	}
	to.SetUint(number)
	return nil
}

// assignFloat takes integers too, as far as a float holds them exactly.
func assignFloat(to reflect.Value, value any) error {
	switch v := value.(type) {
	case float64:
		if to.OverflowFloat(v) {
			return misfit(value, to.Type())
		}
		to.SetFloat(v)
		return nil
	case int64:
		most := int64(1) << 53
		if to.Kind() == reflect.Float32 {
			most = 1 << 24
		}
		if -most <= v && v <= most {
			to.SetFloat(float64(v))
			return nil
		}
	}
	return misfit(value, to.Type())
}

func assignList(to reflect.Value, value any) error {
	items, ok := listOf(value)
	if bytes, isBytes := value.([]byte); isBytes && to.Kind() == reflect.Slice && to.Type().Elem().Kind() == reflect.Uint8 {
		to.SetBytes(bytes)
		return nil
	}
	if !ok || (to.Kind() == reflect.Array && to.Len() != len(items)) {
		return misfit(value, to.Type())
	}
	if to.Kind() == reflect.Slice {
		to.Set(reflect.MakeSlice(to.Type(), len(items), len(items)))
	}
	for i, item := range items {
		if err := assign(to.Index(i), item); err != nil {
			return err
		}
	}
	return nil
}

func listOf(value any) ([]any, bool) {
	switch v := value.(type) {
	case []any:
		return v, true
	case Tuple:
		return v, true
	case Set:
		return v, true
	}
	return nil, false
}

func assignMap(to reflect.Value, value any) error {
	t := to.Type()
	if set, isSet := value.(Set); isSet && t.Elem() == reflect.TypeFor[struct{}]() {
		to.Set(reflect.MakeMapWithSize(t, len(set)))
		for _, member := range set {
			key := reflect.New(t.Key()).Elem()
			if err := assign(key, member); err != nil {
				return err
			}
			if !key.Comparable() {
				return misfit(value, t)
			}
			to.SetMapIndex(key, reflect.ValueOf(struct{}{}))
		}
		return nil
	}
	members, ok := value.(map[string]any)
	if !ok || t.Key().Kind() != reflect.String {
		return misfit(value, t)
	}
	to.Set(reflect.MakeMapWithSize(t, len(members)))
	for name, member := range members {
		made := reflect.New(t.Elem()).Elem()
		if err := assign(made, member); err != nil {
			return err
		}
		to.SetMapIndex(reflect.ValueOf(name).Convert(t.Key()), made)
	}
	return nil
}

// assignStruct fills a struct's fields by name; members that it has no field for are left out, or refused if strict.
func assignStruct(to reflect.Value, members map[string]any, strict bool) error {
	fields := fieldsOf(to.Type())
	for name, member := range members {
		known := fieldNamed(fields, name)
		if known == nil {
			if strict {
				return unreadable("a %s has no field for %.50q", to.Type(), name)
			}
			continue
		}
		if err := assign(fieldAt(to, known.index), member); err != nil {
			return unreadable("%s: %s", known.name, err.(*PayloadError).Message)
		}
	}
	return nil
}

// fieldAt finds a field, and makes embedded structs on the way where they are nil.
func fieldAt(to reflect.Value, index []int) reflect.Value {
	for _, i := range index {
		if to.Kind() == reflect.Pointer {
			if to.IsNil() {
				to.Set(reflect.New(to.Type().Elem()))
			}
			to = to.Elem()
		}
		to = to.Field(i)
	}
	return to
}

func misfit(value any, t reflect.Type) error {
	return unreadable("a %s does not fit into a %s", named(value), t)
}

// named says what a value is, without showing it.
func named(value any) string {
	switch value.(type) {
	case []any:
		return "list"
	case map[string]any:
		return "object"
	case int64, *big.Int:
		return "integer of this size"
	case float64:
		return "double"
	}
	return reflect.TypeOf(value).String()
}
