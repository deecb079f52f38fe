package ofd

// Limits of what [Open] reads. They bound memory and time by the bytes at hand, never by a number the file claims.
const (
	// MaxFile is the largest package in bytes.
	MaxFile = 512 << 20
	// MaxEntries is the largest number of entries, folders included.
	MaxEntries = 10_000
	// MaxTotal bounds the sum of all uncompressed entries in bytes.
	MaxTotal = 1 << 30
	// MaxRatio is the largest expansion of one entry; entries of up to ratioFloor bytes are exempt, they cannot harm.
	MaxRatio   = 100
	ratioFloor = 64 << 10
	// MaxName is the longest entry name in bytes.
	MaxName = 255
	// MaxXML bounds the XML bytes parsed in one package.
	MaxXML = 64 << 20
	// MaxDepth is the deepest nesting of XML elements.
	MaxDepth = 64
	// MaxAttributes is the largest number of attributes of one element.
	MaxAttributes = 128
	// MaxToken is the longest XML text, attribute value or comment in bytes.
	MaxToken = 1 << 20
	// MaxElements is the largest number of elements in one XML file.
	MaxElements = 500_000
	// MaxBodies is the largest number of documents in one package.
	MaxBodies = 64
	// MaxPages is the largest number of pages of one document.
	MaxPages = 10_000
)
