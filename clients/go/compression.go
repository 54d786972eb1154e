package caraway

import (
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"
)

// maxDecompressed bounds what a payload may grow to, in bytes.
const maxDecompressed = 64 << 20

var (
	zstdWriter, _ = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	zstdReader, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxDecompressed))
)

// compress writes data in a content encoding: gzip, zlib or zstd.
func compress(encoding string, data []byte) ([]byte, error) {
	var into bytes.Buffer
	var writer io.WriteCloser
	switch encoding {
	case "zstd":
		return zstdWriter.EncodeAll(data, nil), nil
	case "gzip":
		writer = gzip.NewWriter(&into)
	case "zlib":
		writer = zlib.NewWriter(&into)
	default:
		return nil, unwritable("this client compresses by gzip, zlib or zstd, not by %.50q", encoding)
	}
	if _, err := writer.Write(data); err != nil {
		return nil, unwritable("%v", err)
	}
	if err := writer.Close(); err != nil {
		return nil, unwritable("%v", err)
	}
	return into.Bytes(), nil
}

// decompress undoes a content encoding. What ends too early, what more follows, and what grows beyond the limit is refused.
func decompress(encoding string, data []byte) ([]byte, error) {
	from := bytes.NewReader(data)
	var reader io.Reader
	var err error
	switch encoding {
	case "zstd":
		return unzstd(data)
	case "gzip":
		var one *gzip.Reader
		if one, err = gzip.NewReader(from); err == nil {
			one.Multistream(false)
			reader = one
		}
	case "zlib":
		reader, err = zlib.NewReader(from)
	case "bzip2":
		reader = bzip2.NewReader(from)
	default:
		return nil, unreadable("this client undoes gzip, zlib, zstd and bzip2, not %.50q; have the other side use one of them", encoding)
	}
	if err == nil {
		data, err = io.ReadAll(io.LimitReader(reader, maxDecompressed+1))
	}
	if err == nil && len(data) > maxDecompressed {
		err = errors.New("it grows beyond 64 MiB")
	}
	if err == nil && from.Len() > 0 {
		err = errors.New("more follows after its end")
	}
	if err != nil {
		return nil, unreadable("a payload is no whole %s: %v", encoding, err)
	}
	return data, nil
}

func unzstd(data []byte) ([]byte, error) {
	// DecodeAll takes frame after frame: the contract has one.
	var header zstd.Header
	if err := header.Decode(data); err != nil {
		return nil, unreadable("a payload is no whole zstd: %v", err)
	}
	plain, err := zstdReader.DecodeAll(data, nil)
	if err != nil {
		return nil, unreadable("a payload is no whole zstd: %v", err)
	}
	if len(plain) > maxDecompressed {
		return nil, unreadable("a payload is no whole zstd: it grows beyond 64 MiB")
	}
	return plain, nil
}
