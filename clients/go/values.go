package caraway

import (
	"fmt"
	"math/big"
	"regexp"
	"time"
)

// Values that Go has no type for. Each holds the text of docs/payload.md, so that it crosses unchanged.
type (
	// Date is a calendar day, "2026-01-31".
	Date string
	// LocalDateTime is a date and a time of no zone, "2026-01-31T12:30:00".
	LocalDateTime string
	// TimeOfDay is a time with or without an offset from UTC, "23:59:59.999999" or "08:00:00+02:00".
	TimeOfDay string
	// Decimal is a finite decimal number whose digits are kept, "1.50" or "1E+3".
	Decimal string
)

// Tuple is a list that is a tuple where it comes from or goes to.
type Tuple []any

// Set is a list of values of which no two are equal; in Go a map[K]struct{} is written as one too.
type Set []any

const (
	dateLayout  = "2006-01-02"
	localLayout = "2006-01-02T15:04:05"
	timeLayout  = "15:04:05"
	offset      = "Z07:00"
)

var (
	decimalForm = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)
	instantForm = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?$`)
	timeForm    = regexp.MustCompile(`^[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?$`)
)

// DateOf gives the day of an instant in its own zone.
func DateOf(t time.Time) Date { return Date(t.Format(dateLayout)) }

// In gives the day's first instant in a zone.
func (d Date) In(zone *time.Location) (time.Time, error) {
	return time.ParseInLocation(dateLayout, string(d), zone)
}

// LocalDateTimeOf drops the zone of an instant, and what is finer than a microsecond.
func LocalDateTimeOf(t time.Time) LocalDateTime {
	return LocalDateTime(t.Format(localLayout) + fraction(t))
}

// In gives the instant in a zone.
func (d LocalDateTime) In(zone *time.Location) (time.Time, error) {
	return time.ParseInLocation(localLayout, string(d), zone)
}

// Rat gives the number as a fraction. It fails for an exponent that no program wants to write out (beyond 10,000).
func (d Decimal) Rat() (*big.Rat, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	var exponent big.Int
	if at := indexAny(string(d), "eE"); at >= 0 {
		exponent.SetString(string(d)[at+1:], 10)
	}
	if exponent.CmpAbs(big.NewInt(10_000)) > 0 {
		return nil, fmt.Errorf("the exponent of the decimal is too large to write it as a fraction")
	}
	number, _ := new(big.Rat).SetString(string(d))
	return number, nil
}

func (d Decimal) check() error {
	if !decimalForm.MatchString(string(d)) {
		return fmt.Errorf("it is no decimal number")
	}
	return nil
}

func (d Date) check() error {
	_, err := time.Parse(dateLayout, string(d))
	return err
}

func (d LocalDateTime) check() error {
	_, err := time.Parse(localLayout, string(d))
	return err
}

func (t TimeOfDay) check() error {
	layout := timeLayout
	if hasOffset(string(t)) {
		layout += offset
	}
	if !timeForm.MatchString(string(t)) {
		return fmt.Errorf("it is no time")
	}
	_, err := time.Parse(layout, string(t))
	return err
}

// fraction writes microseconds: nothing, or a point and six digits.
func fraction(t time.Time) string {
	if micros := t.Nanosecond() / 1000; micros != 0 {
		return fmt.Sprintf(".%06d", micros)
	}
	return ""
}

// formatInstant writes a datetime with its offset. An offset that is no whole minute is written in UTC.
func formatInstant(t time.Time) (string, error) {
	if _, seconds := t.Zone(); seconds%60 != 0 {
		t = t.UTC()
	}
	if t.Year() < 1 || t.Year() > 9999 {
		return "", fmt.Errorf("the year %d of a time lies outside 1 to 9999", t.Year())
	}
	return t.Format(localLayout) + fraction(t) + t.Format("-07:00"), nil
}

// readDateTime reads an instant, or a time of no zone; what is finer than a microsecond is cut.
func readDateTime(text string) (any, error) {
	if !instantForm.MatchString(text) {
		return nil, fmt.Errorf("it is no datetime")
	}
	layout := localLayout
	zoned := hasOffset(text)
	if zoned {
		layout += offset
	}
	read, err := time.Parse(layout, text)
	if err != nil {
		return nil, err
	}
	read = read.Truncate(time.Microsecond)
	if !zoned {
		return LocalDateTimeOf(read), nil
	}
	_, seconds := read.Zone()
	if seconds == 0 {
		return read.UTC(), nil
	}
	return read.In(time.FixedZone("", seconds)), nil // not the machine's own zone, where that has this offset
}

func hasOffset(text string) bool {
	last := text[max(0, len(text)-6):]
	return indexAny(last, "Z+-") >= 0 && indexAny(text, ":") >= 0
}

// formatDuration writes seconds with no or six digits of fraction; what is finer is cut.
func formatDuration(d time.Duration) string {
	micros := d.Microseconds()
	sign := ""
	if micros < 0 {
		sign, micros = "-", -micros
	}
	if rest := micros % 1_000_000; rest != 0 {
		return fmt.Sprintf("%s%d.%06ds", sign, micros/1_000_000, rest)
	}
	return fmt.Sprintf("%s%ds", sign, micros/1_000_000)
}

var durationForm = regexp.MustCompile(`^-?[0-9]+(\.[0-9]{1,9})?s$`)

func readDuration(text string) (time.Duration, error) {
	if !durationForm.MatchString(text) {
		return 0, fmt.Errorf("it is no duration")
	}
	read, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("a time.Duration ends at 292 years")
	}
	return read.Truncate(time.Microsecond), nil
}
