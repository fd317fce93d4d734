// Judges a copy of a gate's log with Go's own packages for such logs: its checkpoint, its tiles, the
// proof of every entry, what an older checkpoint says, and the proof of one entry in a file.
//
//	judge KEY COPY OLDER-CHECKPOINT PROOF [WITNESS-KEY]
//
// Prints the sizes of the older and of the newest tree.
package main

import (
	"bufio"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "judge:", err)
		os.Exit(1)
	}
}

func read(path string) []byte {
	data, err := os.ReadFile(path)
	must(err)
	return data
}

// checkpoint believes a signed note, and reads origin, size and root (C2SP tlog-checkpoint).
func checkpoint(text []byte, verifier note.Verifier) tlog.Tree {
	opened, err := note.Open(text, note.VerifierList(verifier))
	must(err)
	lines := strings.Split(opened.Text, "\n")
	if lines[0] != verifier.Name() {
		must(fmt.Errorf("the checkpoint is of %q", lines[0]))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	root, err := tlog.ParseHash(lines[2])
	must(err)
	return tlog.Tree{N: size, Hash: root}
}

// tiles reads a copy's tiles: their paths have no height (C2SP tlog-tiles).
type tiles struct{ copy string }

func (t tiles) Height() int { return height }

func (t tiles) path(tile tlog.Tile) string {
	return filepath.Join(t.copy, strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
}

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		data, err := os.ReadFile(t.path(tile))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// entries reads every leaf: each stands after its length.
func entries(copy string, size int64) [][]byte {
	var leaves [][]byte
	for first := int64(0); first < size; first += 1 << height {
		width := size - first
		if width > 1<<height {
			width = 1 << height
		}
		tile := tlog.Tile{H: height, L: 0, N: first >> height, W: int(width)}
		path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
		for data := read(filepath.Join(copy, path)); len(data) > 0; {
			length := int(binary.BigEndian.Uint16(data))
			leaves = append(leaves, data[2:2+length])
			data = data[2+length:]
		}
	}
	return leaves
}

// proof judges the proof of one entry (C2SP tlog-proof), for the leaf that the copy has there.
func proof(text string, verifier note.Verifier, leaves [][]byte) {
	head, signed, found := strings.Cut(text, "\n\n")
	if !found {
		must(fmt.Errorf("the proof has no checkpoint"))
	}
	tree := checkpoint([]byte(signed), verifier)
	index := int64(-1)
	var path tlog.RecordProof
	lines := bufio.NewScanner(strings.NewReader(head))
	lines.Buffer(nil, 1<<20)
	for number := 0; lines.Scan(); number++ {
		line := lines.Text()
		switch {
		case number == 0 && line == "c2sp.org/tlog-proof@v1":
		case number > 0 && strings.HasPrefix(line, "extra "):
		case strings.HasPrefix(line, "index "):
			parsed, err := strconv.ParseInt(line[len("index "):], 10, 64)
			must(err)
			index = parsed
		default:
			data, err := base64.StdEncoding.DecodeString(line)
			must(err)
			var hash tlog.Hash
			if copy(hash[:], data) != tlog.HashSize || len(data) != tlog.HashSize {
				must(fmt.Errorf("no hash: %q", line))
			}
			path = append(path, hash)
		}
	}
	must(tlog.CheckRecord(path, tree.N, tree.Hash, index, tlog.RecordHash(leaves[index])))
}

// witness verifies Ed25519 cosignatures (C2SP tlog-cosignature): a time stands before each.
type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (w witness) Name() string    { return w.name }
func (w witness) KeyHash() uint32 { return w.hash }
func (w witness) Verify(text, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	said := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(sig), text)
	return ed25519.Verify(w.key, []byte(said), sig[8:])
}

// cosigned demands the cosignature of a witness, whose key is NAME+HASH+KEY.
func cosigned(text []byte, vkey string) {
	parts := strings.SplitN(vkey, "+", 3)
	hash, err := strconv.ParseUint(parts[1], 16, 32)
	must(err)
	key, err := base64.StdEncoding.DecodeString(parts[2])
	must(err)
	if len(key) != 1+ed25519.PublicKeySize || key[0] != 4 {
		must(fmt.Errorf("not a witness's key: %q", vkey))
	}
	_, err = note.Open(text, note.VerifierList(witness{parts[0], uint32(hash), key[1:]}))
	must(err)
}

func main() {
	if len(os.Args) != 5 && len(os.Args) != 6 {
		must(fmt.Errorf("four or five arguments are needed"))
	}
	verifier, err := note.NewVerifier(os.Args[1])
	must(err)
	copy := os.Args[2]
	tree := checkpoint(read(filepath.Join(copy, "checkpoint")), verifier)
	older := checkpoint(read(os.Args[3]), verifier)
	// Every tile that it reads is verified against the root.
	reader := tlog.TileHashReader(tree, tiles{copy})
	leaves := entries(copy, tree.N)
	if int64(len(leaves)) != tree.N {
		must(fmt.Errorf("%d entries, the checkpoint counts %d", len(leaves), tree.N))
	}
	for index, leaf := range leaves {
		path, err := tlog.ProveRecord(tree.N, int64(index), reader)
		must(err)
		must(tlog.CheckRecord(path, tree.N, tree.Hash, int64(index), tlog.RecordHash(leaf)))
	}
	grown, err := tlog.ProveTree(tree.N, older.N, reader)
	must(err)
	must(tlog.CheckTree(grown, tree.N, tree.Hash, older.N, older.Hash))
	proof(string(read(os.Args[4])), verifier, leaves)
	if len(os.Args) == 6 {
		cosigned(read(filepath.Join(copy, "checkpoint")), os.Args[5])
	}
	fmt.Println(older.N, tree.N)
}
