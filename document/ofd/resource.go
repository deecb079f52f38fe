package ofd

// ResourceFolder is the folder that the locations inside a resource file count from: that of the file itself, and its
// BaseLoc. name is the entry name of the file, res its root element.
func ResourceFolder(name string, res *Element) (string, error) { return resourceFolder(name, res) }

// ParseNumber reads one plain decimal number of an attribute, bounded as in ParseBox.
func ParseNumber(s string) (float64, error) { return parseNumber(s) }
