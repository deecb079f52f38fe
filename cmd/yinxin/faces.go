package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"yinxin/document/fonts"
)

// fontsFlag adds --fonts to a command that sets or draws text.
func fontsFlag(cmd *cobra.Command, dir *string) {
	cmd.Flags().StringVar(dir, "fonts", "", "folder of the office's own fonts, asked first (also YINXIN_FONTS; default: fonts in the configuration folder)")
}

// faces opens the fonts folder: that of the flag, of YINXIN_FONTS, or the one in yinxin's own folder if it is there. Without
// any the embedded faces serve. A font that cannot be used is told on stderr.
func (e *env) faces(dir string) (*fonts.Set, error) {
	if dir == "" {
		dir = e.getenv("YINXIN_FONTS")
	}
	if dir == "" {
		dir = filepath.Join(e.home, "fonts")
		if !isFolder(dir) {
			return fonts.Embedded(), nil
		}
	}
	f, err := fonts.OpenFolder(dir)
	if err != nil {
		return nil, err
	}
	for _, s := range f.Skipped {
		fmt.Fprintf(e.stderr, "font %s is not used: %v\n", filepath.Join(dir, s.File), s.Err)
	}
	return f.Set, nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
