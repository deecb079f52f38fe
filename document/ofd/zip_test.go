package ofd

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"

	"yinxin/verdict"
)

// A minimal document of one page.
const (
	testRoot = `<ofd:OFD xmlns:ofd="http://www.ofdspec.org/2016" Version="1.1" DocType="OFD"><ofd:DocBody><ofd:DocInfo><ofd:DocID>0</ofd:DocID><ofd:Title>标题</ofd:Title></ofd:DocInfo><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>`
	testDoc  = `<ofd:Document xmlns:ofd="http://www.ofdspec.org/2016"><ofd:CommonData><ofd:MaxUnitID>9</ofd:MaxUnitID><ofd:PageArea><ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox></ofd:PageArea></ofd:CommonData><ofd:Pages><ofd:Page ID="1" BaseLoc="Pages/Page_0/Content.xml"/></ofd:Pages></ofd:Document>`
	testPage = `<ofd:Page xmlns:ofd="http://www.ofdspec.org/2016"><ofd:Content><ofd:Layer ID="2"><ofd:TextObject ID="3" Boundary="0 0 10 10" Font="4" Size="5"><ofd:TextCode X="0" Y="4">关于</ofd:TextCode><ofd:TextCode X="9" Y="4">通知</ofd:TextCode></ofd:TextObject></ofd:Layer></ofd:Content></ofd:Page>`
	pageName = "Doc_0/Pages/Page_0/Content.xml"
)

// rec is one entry of a hand-made ZIP; every field that a test leaves zero takes the sound value.
type rec struct {
	name, local   string // local: another name in the local header
	data          []byte
	method        uint16
	flags         uint16
	external      uint32
	madeBy        uint16
	size          uint32 // declared instead of the true one
	localSize     uint32
	extra         []byte
	comment       string
	crc           uint32
	rawPacked     []byte
	descriptor    int // 0, 12 or 16 bytes
	localMethod   uint16
	lieDescriptor bool
}

// pack writes a ZIP byte by byte.
func pack(recs ...rec) []byte {
	var out, central bytes.Buffer
	le := binary.LittleEndian
	for _, r := range recs {
		packed := r.data
		if r.method == methodDeflate {
			var b bytes.Buffer
			w, _ := flate.NewWriter(&b, 9)
			_, _ = w.Write(r.data)
			_ = w.Close()
			packed = b.Bytes()
		}
		if r.rawPacked != nil {
			packed = r.rawPacked
		}
		crc, size := crc32.ChecksumIEEE(r.data), uint32(len(r.data))
		if r.crc != 0 {
			crc = r.crc
		}
		if r.size != 0 {
			size = r.size
		}
		local := r.name
		if r.local != "" {
			local = r.local
		}
		flags := r.flags
		if flags == 0 && !isASCII(r.name) {
			flags = flagUTF8
		}
		lsize, lpacked, lcrc, lmethod := size, uint32(len(packed)), crc, r.method
		if r.localSize != 0 {
			lsize = r.localSize
		}
		if r.localMethod != 0 {
			lmethod = r.localMethod
		}
		if r.descriptor != 0 {
			flags |= flagDescriptor
			lsize, lpacked, lcrc = 0, 0, 0
		}
		offset := uint32(out.Len())
		h := le.AppendUint32(nil, localSig)
		for _, v := range []uint16{20, flags, lmethod, 0, 33} {
			h = le.AppendUint16(h, v)
		}
		for _, v := range []uint32{lcrc, lpacked, lsize} {
			h = le.AppendUint32(h, v)
		}
		h = le.AppendUint16(le.AppendUint16(h, uint16(len(local))), uint16(len(r.extra)))
		out.Write(h)
		out.WriteString(local)
		out.Write(r.extra)
		out.Write(packed)
		if r.descriptor != 0 {
			var d []byte
			if r.descriptor == 16 {
				d = le.AppendUint32(d, descriptorSig)
			}
			if r.lieDescriptor {
				size++
			}
			d = le.AppendUint32(le.AppendUint32(le.AppendUint32(d, crc), uint32(len(packed))), size)
			if r.lieDescriptor {
				size--
			}
			out.Write(d)
		}
		h = le.AppendUint32(nil, centralSig)
		for _, v := range []uint16{20 | r.madeBy<<8, 20, flags, r.method, 0, 33} {
			h = le.AppendUint16(h, v)
		}
		for _, v := range []uint32{crc, uint32(len(packed)), size} {
			h = le.AppendUint32(h, v)
		}
		for _, v := range []uint16{uint16(len(r.name)), uint16(len(r.extra)), uint16(len(r.comment)), 0, 0} {
			h = le.AppendUint16(h, v)
		}
		h = le.AppendUint32(le.AppendUint32(h, r.external), offset)
		central.Write(h)
		central.WriteString(r.name)
		central.Write(r.extra)
		central.WriteString(r.comment)
	}
	at := uint32(out.Len())
	out.Write(central.Bytes())
	end := le.AppendUint32(nil, endSig)
	end = le.AppendUint32(end, 0)
	end = le.AppendUint16(le.AppendUint16(end, uint16(len(recs))), uint16(len(recs)))
	end = le.AppendUint32(le.AppendUint32(end, uint32(central.Len())), at)
	out.Write(le.AppendUint16(end, 0))
	return out.Bytes()
}

func sound() []rec {
	return []rec{
		{name: "OFD.xml", data: []byte(testRoot), method: methodDeflate},
		{name: "Doc_0/", data: nil},
		{name: "Doc_0/Document.xml", data: []byte(testDoc), method: methodDeflate, descriptor: 16},
		{name: pageName, data: []byte(testPage), descriptor: 0},
	}
}

func with(more ...rec) []byte { return pack(append(sound(), more...)...) }

func mustRefuse(t *testing.T, data []byte, want verdict.Reason) {
	t.Helper()
	_, err := Open(data)
	var refused *verdict.ContainerError
	if !errors.As(err, &refused) {
		t.Fatalf("got %v, want a refusal (%s)", err, want)
	}
	if refused.Reason != want {
		t.Errorf("got %s (%s), want %s", refused.Reason, refused.Detail, want)
	}
}

func TestZipAttacks(t *testing.T) {
	text := []byte("text")
	if _, err := Open(with(rec{name: "附件/说明.txt", data: text})); err != nil {
		t.Fatalf("the twin: %v", err)
	}
	good := with()
	cut := func(n int) []byte { return good[:n] }
	patched := func(off int, v byte) []byte {
		b := bytes.Clone(good)
		b[len(b)-endRecordLen+off] ^= v
		return b
	}
	bomb := bytes.Repeat([]byte{0}, 1<<20)
	zip64 := append(binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(nil, extraZip64), 8), make([]byte, 8)...)
	unicodePath := append(binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(nil, extraUnicodePath), 6), "\x01aaaab"...)
	tests := []struct {
		id, name string
		data     []byte
		want     verdict.Reason
	}{
		{"Z-01", "same name twice", with(rec{name: pageName, data: text}), verdict.DuplicateEntry},
		{"Z-02", "case twin", with(rec{name: "ofd.XML", data: text}), verdict.AmbiguousName},
		{"Z-02", "case twin of a folder", with(rec{name: "doc_0/Other.xml", data: text}), verdict.AmbiguousName},
		{"Z-02", "backslash", with(rec{name: `Doc_0\x.xml`, data: text}), verdict.AmbiguousName},
		{"Z-02", "empty part", with(rec{name: "Doc_0//x.xml", data: text}), verdict.AmbiguousName},
		{"Z-02", "dot part", with(rec{name: "Doc_0/./x.xml", data: text}), verdict.AmbiguousName},
		{"Z-02", "trailing dot", with(rec{name: "Doc_0/x.xml.", data: text}), verdict.AmbiguousName},
		{"Z-02", "trailing space", with(rec{name: "Doc_0/x.xml ", data: text}), verdict.AmbiguousName},
		{"Z-02", "composed and decomposed", with(rec{name: "é", data: text}, rec{name: "e\u0301", data: text}), verdict.AmbiguousName},
		{"Z-02", "full width", with(rec{name: "ＯＦＤ.xml", data: text}), verdict.AmbiguousName},
		{"Z-02", "invisible character", with(rec{name: "Doc_0/x\u200b.xml", data: text}), verdict.AmbiguousName},
		{"Z-02", "file that is a folder", with(rec{name: pageName + "/x", data: text}), verdict.AmbiguousName},
		{"Z-03", "parent folder", with(rec{name: "../x", data: text}), verdict.Path},
		{"Z-03", "parent folder inside", with(rec{name: "Doc_0/../../x", data: text}), verdict.Path},
		{"Z-03", "absolute", with(rec{name: "/x", data: text}), verdict.Path},
		{"Z-03", "drive", with(rec{name: `C:x`, data: text}), verdict.Path},
		{"Z-03", "NUL", with(rec{name: "Doc_0/x\x00.xml", data: text}), verdict.Path},
		{"Z-03", "device", with(rec{name: "Doc_0/con.xml", data: text}), verdict.Path},
		{"Z-03", "long name", with(rec{name: strings.Repeat("x", 256), data: text}), verdict.Path},
		{"Z-03", "empty name", with(rec{name: "", data: text}), verdict.Path},
		{"Z-04", "symbolic link", with(rec{name: "x", data: text, madeBy: 3, external: 0o120777 << 16}), verdict.EntryType},
		{"Z-04", "device file", with(rec{name: "x", data: text, madeBy: 3, external: 0o020666 << 16}), verdict.EntryType},
		{"Z-04", "folder with data", with(rec{name: "x/", data: text}), verdict.EntryType},
		{"Z-05", "no UTF-8 flag", with(rec{name: "说明", data: text, flags: 2}), verdict.NameEncoding},
		{"Z-05", "GBK under the UTF-8 flag", with(rec{name: "\xcb\xb5\xc3\xf7", data: text, flags: flagUTF8}), verdict.NameEncoding},
		{"Z-05", "second name", with(rec{name: "x", data: text, extra: unicodePath}), verdict.ZipFeature},
		{"Z-06", "bytes before", append(make([]byte, 64), good...), verdict.ZipLayout},
		{"Z-06", "bytes after", append(bytes.Clone(good), "tail"...), verdict.ZipLayout},
		{"Z-06", "whole package after", append(bytes.Clone(good), good...), verdict.ZipLayout},
		{"Z-06", "PDF before", append([]byte("%PDF-1.7\n"), good...), verdict.ZipLayout},
		{"Z-06", "comment promised", patched(20, 4), verdict.ZipLayout},
		{"Z-06", "end record inside a comment", commented(good), verdict.ZipLayout},
		{"Z-06", "two end records", append(bytes.Clone(good), good[len(good)-endRecordLen:]...), verdict.ZipLayout},
		{"Z-06", "two counts", patched(8, 1), verdict.ZipLayout},
		{"Z-06", "fewer entries", func() []byte { b := patched(8, 1); b[len(b)-12] ^= 1; return b }(), verdict.ZipLayout},
		{"Z-06", "central directory elsewhere", patched(16, 1), verdict.ZipLayout},
		{"Z-06", "several disks", patched(4, 1), verdict.ZipFeature},
		{"Z-07", "other local name", with(rec{name: "x", local: "y", data: text}), verdict.HeaderMismatch},
		{"Z-07", "other local size", with(rec{name: "x", data: text, localSize: 3}), verdict.HeaderMismatch},
		{"Z-07", "other local method", with(rec{name: "x", data: text, localMethod: 8}), verdict.HeaderMismatch},
		{"Z-07", "other descriptor", with(rec{name: "x", data: text, method: 8, descriptor: 16, lieDescriptor: true}), verdict.HeaderMismatch},
		{"Z-08", "ratio", with(rec{name: "x", data: bomb, method: 8}), verdict.Bomb},
		{"Z-08", "total", with(rec{name: "x", data: text, method: 8, size: 0xfffffff0}), verdict.Bomb},
		{"Z-08", "ZIP64", with(rec{name: "x", data: text, extra: zip64}), verdict.ZipFeature},
		{"Z-09", "declares less", with(rec{name: "x", data: bytes.Repeat(text, 100), method: 8, size: 10}), verdict.SizeLie},
		{"Z-09", "declares more", with(rec{name: "x", data: text, method: 8, size: 10}), verdict.SizeLie},
		{"Z-09", "stored with two sizes", with(rec{name: "x", data: text, size: 10}), verdict.SizeLie},
		{"Z-09", "bytes after the compressed data", with(rec{name: "x", data: nil, method: 8, rawPacked: []byte("\x03\x00tail")}), verdict.SizeLie},
		{"Z-10", "encrypted", with(rec{name: "x", data: text, flags: 1}), verdict.ZipFeature},
		{"Z-10", "unknown method", with(rec{name: "x", data: text, method: 12}), verdict.ZipFeature},
		{"Z-10", "stored with descriptor", with(rec{name: "x", data: text, descriptor: 16}), verdict.ZipFeature},
		{"Z-10", "entry comment", with(rec{name: "x", data: text, comment: "c"}), verdict.ZipFeature},
		{"Z-11", "half", cut(len(good) / 2), verdict.ZipLayout},
		{"Z-11", "last byte missing", cut(len(good) - 1), verdict.ZipLayout},
		{"Z-11", "nothing", nil, verdict.ZipLayout},
		{"", "checksum", with(rec{name: "x", data: text, crc: 7}), verdict.ZipLayout},
		{"", "no OFD.xml", pack(rec{name: "x", data: text}), verdict.MissingEntry},
	}
	for _, tt := range tests {
		t.Run(strings.ReplaceAll(tt.id+" "+tt.name, " ", "_"), func(t *testing.T) { mustRefuse(t, tt.data, tt.want) })
	}
}

// commented is the package with a comment that holds an end record of its own.
func commented(good []byte) []byte {
	b := bytes.Clone(good)
	end := b[len(b)-endRecordLen:]
	comment := bytes.Clone(end)
	binary.LittleEndian.PutUint16(b[len(b)-2:], uint16(len(comment)))
	return append(b, comment...)
}

func TestOverlappingEntries(t *testing.T) {
	good := with(rec{name: "x", data: []byte("text")})
	// Let the last central record point at the first entry's local header.
	at := bytes.LastIndex(good, []byte("PK\x01\x02"))
	b := bytes.Clone(good)
	binary.LittleEndian.PutUint32(b[at+42:], 0)
	mustRefuse(t, b, verdict.Bomb)
}

func TestManyEntries(t *testing.T) {
	many := sound()
	for i := range MaxEntries {
		many = append(many, rec{name: fmt.Sprintf("x%d", i)})
	}
	mustRefuse(t, pack(many...), verdict.Bomb)
}

// TestOtherWriters: packages of Go's own writer, with descriptors, and of ours pass.
func TestOtherWriters(t *testing.T) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, r := range sound() {
		w, err := z.Create(r.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(r.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	p, err := Open(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	again, err := p.Replace(File{Name: "a/零.bin", Data: make([]byte, 1<<20)}, File{Name: pageName, Data: []byte(testPage + "\n")})
	if err != nil {
		t.Fatal(err)
	}
	q, err := Open(again)
	if err != nil {
		t.Fatal(err)
	}
	if data, _ := q.Entry("/" + pageName); string(data) != testPage+"\n" {
		t.Error("the page was not replaced")
	}
	if data, ok := q.Entry("a/零.bin"); !ok || len(data) != 1<<20 {
		t.Error("the new file is not there")
	}
	r, err := zip.NewReader(bytes.NewReader(again), int64(len(again)))
	if err != nil || len(r.File) != 4 {
		t.Fatalf("another reader: %v", err)
	}
	for _, f := range r.File {
		if f.Flags&flagDescriptor != 0 {
			t.Errorf("%s has its size after its data", f.Name)
		}
	}
}
