package caraway

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/caraway-tasks/caraway/clients/go/carawaypb"
)

// vectors reads a file of tests/conformance/vectors, which all languages walk.
func vectors(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "tests", "conformance", "vectors", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

func TestVectorsOfValues(t *testing.T) {
	var file struct {
		Values, Refused []struct{ Name, JSON string }
	}
	vectors(t, "payload.json", &file)
	if len(file.Values) < 20 || len(file.Refused) < 10 {
		t.Fatalf("the file holds %d values and %d refused texts", len(file.Values), len(file.Refused))
	}
	for _, each := range file.Values {
		var value any
		if err := Unmarshal([]byte(each.JSON), &value); err != nil {
			t.Errorf("%s: %v", each.Name, err)
			continue
		}
		if text, err := Marshal(value); err != nil || string(text) != each.JSON {
			t.Errorf("%s: %s became %s (%v)", each.Name, each.JSON, text, err)
		}
	}
	for _, each := range file.Refused {
		var value any
		var refusal *PayloadError
		if err := Unmarshal([]byte(each.JSON), &value); !errors.As(err, &refusal) {
			t.Errorf("%s: it was read as %#v (%v)", each.Name, value, err)
		}
	}
}

func TestVectorsOfEncodings(t *testing.T) {
	type vector struct {
		Name             string
		ContentEncodings []string `json:"content_encodings"`
		Base64           string
	}
	var file struct {
		ContentType string `json:"content_type"`
		Plain       string
		Values      []vector
		Refused     []vector
	}
	vectors(t, "encodings.json", &file)
	payload := func(v vector) *carawaypb.Payload {
		data, err := base64.StdEncoding.DecodeString(v.Base64)
		if err != nil {
			t.Fatal(err)
		}
		return &carawaypb.Payload{
			Body: &carawaypb.Payload_Data{Data: data}, ContentType: file.ContentType, ContentEncodings: v.ContentEncodings,
		}
	}
	want, err := readText(file.Plain)
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, each := range file.Values {
		value, err := readPayload(payload(each))
		// There is no library of the standard's quality for these two: they are refused by name.
		if name := each.ContentEncodings[0]; name == "brotli" || name == "lzma" {
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %v", each.Name, err)
			}
			continue
		}
		read++
		if err != nil || !reflect.DeepEqual(value, want) {
			t.Errorf("%s: %#v (%v)", each.Name, value, err)
		}
	}
	if read < 5 {
		t.Errorf("only %d were read", read)
	}
	for _, each := range file.Refused {
		var refusal *PayloadError
		if value, err := readPayload(payload(each)); !errors.As(err, &refusal) {
			t.Errorf("%s: it was read as %#v (%v)", each.Name, value, err)
		}
	}
}

func TestCompressedArgumentsComeBack(t *testing.T) {
	for _, encoding := range []string{"gzip", "zlib", "zstd"} {
		long := strings.Repeat("caraway ", 1000)
		payload, err := argumentsPayload([]any{long}, nil, encoding)
		if err != nil || len(payload.GetData()) == 0 || len(payload.GetData()) > len(long)/10 || len(payload.GetPlainSha256()) != 32 {
			t.Fatalf("%s: %v, %v", encoding, payload.GetContentEncodings(), err)
		}
		args, _, err := readArguments(&carawaypb.TaskSpec{Payload: payload})
		if err != nil || args[0] != long {
			t.Errorf("%s: %v", encoding, err)
		}
		payload.PlainSha256[0]++
		if _, _, err = readArguments(&carawaypb.TaskSpec{Payload: payload}); err == nil {
			t.Errorf("%s: data of another digest was read", encoding)
		}
	}
	if _, err := argumentsPayload(nil, nil, "rot13"); err == nil {
		t.Error("an unknown encoding was taken")
	}
	if payload, err := argumentsPayload([]any{1}, nil, "zstd"); err != nil || payload.GetJson() == "" {
		t.Errorf("what does not get smaller is sent as it is: %v (%v)", payload, err)
	}
}

type inner struct {
	Depth int `json:"depth"`
}

type everything struct {
	inner
	Text    string              `json:"text"`
	Small   int8                `json:"small"`
	Large   *big.Int            `json:"large"`
	Most    uint64              `json:"most"`
	Double  float64             `json:"double"`
	Price   Decimal             `json:"price"`
	Data    []byte              `json:"data"`
	At      time.Time           `json:"at"`
	Took    time.Duration       `json:"took"`
	Day     Date                `json:"day"`
	ID      uuid.UUID           `json:"id"`
	Nothing *string             `json:"nothing"`
	Names   map[string]struct{} `json:"names"`
	Nested  map[string][]inner  `json:"nested"`
	Left    string              `json:"left,omitempty"`
	Hidden  string              `json:"-"`
}

func TestStructsCrossUnchanged(t *testing.T) {
	large, _ := new(big.Int).SetString("123456789012345678901234567890", 10)
	given := everything{
		inner: inner{3}, Text: "Kümmel <&> \u2028", Small: -128, Large: large, Most: math.MaxUint64, Double: 2, Price: "1.50",
		Data: []byte{0, 255}, At: time.Date(2026, 1, 31, 12, 30, 0, 1000, time.FixedZone("", -3*3600-1800)), Took: -1500 * time.Millisecond,
		Day: "2026-01-31", ID: uuid.MustParse("0198c0de-7000-8000-8000-00000000002a"), Names: map[string]struct{}{"b": {}, "a": {}},
		Nested: map[string][]inner{"x": {{1}, {2}}}, Hidden: "not sent",
	}
	text, err := Marshal(given)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		`{"depth":3,"text":"Kümmel <&> ` + "\u2028" + `","small":-128,"large":123456789012345678901234567890,"most":18446744073709551615,"double":2.0`,
		`"nothing":null,"names":{"$caraway":"set","value":["a","b"]},"nested":{"x":[{"depth":1},{"depth":2}]}}`,
	} {
		if !strings.Contains(string(text), part) {
			t.Errorf("%s\nlacks %s", text, part)
		}
	}
	var read everything
	if err := Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	given.Hidden = ""
	if !given.At.Equal(read.At) {
		t.Errorf("%s became %s", given.At, read.At)
	}
	given.At, read.At = time.Time{}, time.Time{}
	if !reflect.DeepEqual(given, read) {
		t.Errorf("%#v\nbecame\n%#v", given, read)
	}
}

func TestWhatDoesNotFitIsRefused(t *testing.T) {
	for text, target := range map[string]any{
		`300`:                                  new(int8),
		`-1`:                                   new(uint),
		`9223372036854775808`:                  new(int64),
		`9007199254740993`:                     new(float64),
		`2.0`:                                  new(int),
		`null`:                                 new(int),
		`1`:                                    new(time.Duration),
		`"2026-01-31"`:                         new(Date),
		`[1,2,3]`:                              new([2]int),
		`{"text":1}`:                           new(everything),
		`"\ud800"`:                             new(string),
		`"\ud800\u0041"`:                       new(string),
		`1 2`:                                  new(int),
		`1e400`:                                new(float64),
		`{"$caraway":"decimal","value":"1e9"}`: new(int),
	} {
		var refusal *PayloadError
		if err := Unmarshal([]byte(text), target); !errors.As(err, &refusal) {
			t.Errorf("%s was read into a %T (%v)", text, target, err)
		}
	}
	var text string
	if err := Unmarshal([]byte(`"\ud83c\udf3f \\ud800"`), &text); err != nil || text != `🌿 \ud800` {
		t.Errorf("%q (%v)", text, err)
	}
	var exact float64
	if err := Unmarshal([]byte(`9007199254740992`), &exact); err != nil || exact != 1<<53 {
		t.Errorf("%v (%v)", exact, err)
	}
	var number big.Rat
	if err := Unmarshal([]byte(`{"$caraway":"decimal","value":"1.50"}`), &number); err != nil || number.Cmp(big.NewRat(3, 2)) != 0 {
		t.Errorf("%v (%v)", &number, err)
	}
}

func TestWhatHasNoFormIsNotWritten(t *testing.T) {
	deep := any(1)
	for range 101 {
		deep = []any{deep}
	}
	circle := map[string]any{}
	circle["again"] = circle
	for _, value := range []any{
		math.NaN(), math.Inf(1), make(chan int), func() {}, "\xff", deep, circle, map[int]string{1: "a"}, big.NewRat(1, 3),
		Decimal("one"), Date("31.1.2026"), TimeOfDay("25:00:00"), Set{[]any{}}, json.Number("x"), complex(1, 2),
		new(big.Int).Exp(big.NewInt(10), big.NewInt(5000), nil),
	} {
		var refusal *PayloadError
		if text, err := Marshal(value); !errors.As(err, &refusal) {
			t.Errorf("%T was written as %.100s (%v)", value, text, err)
		}
	}
}

func TestFormsOfGo(t *testing.T) {
	for want, value := range map[string]any{
		`1e+16`:                                 1e16,
		`1e-05`:                                 0.00001,
		`1234567.0`:                             1234567.0,
		`0.25`:                                  big.NewRat(1, 4),
		`{"$caraway":"duration","value":"60s"}`: time.Minute + time.Nanosecond,
		`{"$caraway":"tuple","value":[1]}`:      Tuple{1},
		`[1,null]`:                              []*int{ptr(1), nil},
		`"text"`:                                named2("text"),
		`{"raw":[1.50]}`:                        map[string]any{"raw": json.RawMessage(`[1.50]`)},
		`{"$caraway":"object","value":[["$caraway",1],["a",{"b":2}]]}`: map[string]any{"$caraway": 1, "a": map[string]int{"b": 2}},
	} {
		text, err := Marshal(value)
		if rat, ok := value.(*big.Rat); ok {
			want = `{"$caraway":"decimal","value":"` + rat.FloatString(2) + `"}`
		}
		if err != nil || string(text) != want {
			t.Errorf("%#v became %s (%v)", value, text, err)
		}
	}
}

type named2 string

func ptr[T any](value T) *T { return &value }
