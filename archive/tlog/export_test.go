package tlog

import "yinxin/internal/durable"

// OpenDirOn opens a log folder on a disk whose steps a test controls.
func OpenDirOn(root string, disk durable.Disk) (*Dir, error) { return openDir(root, disk) }
