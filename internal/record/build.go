package record

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"runtime/debug"
)

// shortRevision is how much of a revision or digest names a build.
const shortRevision = 12

// ownBuild names the build of this program: it is the build that judges, so a
// verdict that changed with it says nothing of the mesh.
func ownBuild() string {
	var settings []debug.BuildSetting
	if info, ok := debug.ReadBuildInfo(); ok {
		settings = info.Settings
	}
	return nameBuild(settings, ownDigest)
}

// nameBuild is the revision that was built. Where there is none, or the sources
// were changed since, only the program itself tells one build from another.
func nameBuild(settings []debug.BuildSetting, digest func() string) string {
	revision, modified := "", false
	for _, s := range settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value[:min(len(s.Value), shortRevision)]
		case "vcs.modified":
			modified = s.Value == "true"
		}
	}
	switch {
	case revision == "":
		return "program " + digest()
	case modified:
		return fmt.Sprintf("%s, modified, program %s", revision, digest())
	}
	return revision
}

// ownDigest is the beginning of the digest of this program's file.
func ownDigest() string {
	const unknown = "unknown"
	path, err := os.Executable()
	if err != nil {
		return unknown
	}
	file, err := os.Open(path)
	if err != nil {
		return unknown
	}
	hash := sha256.New()
	_, err = io.Copy(hash, file)
	if closed := file.Close(); err != nil || closed != nil {
		return unknown
	}
	return hex.EncodeToString(hash.Sum(nil))[:shortRevision]
}
