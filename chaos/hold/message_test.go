//go:build linux

package hold

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The bytes are those that libnetfilter_queue's example sends on a little-endian
// machine, as the kernel's headers prescribe them.
func TestMessagesAreWhatTheKernelReads(t *testing.T) {
	steps := bind(7, 1024)
	require.Len(t, steps, 3)
	assert.Equal(t, "1c00000002030500"+"0000000000000000"+"00000007"+"0800010001000000", hex.EncodeToString(steps[0]))
	assert.Equal(t, "2000000002030500"+"0000000000000000"+"00000007"+"090002000000000001000000", hex.EncodeToString(steps[1]))
	assert.Equal(t, "2c00000002030500"+"0000000000000000"+"00000007"+"0800030000000400"+"0800040000000005"+"0800050000000005", hex.EncodeToString(steps[2]))
	assert.Equal(t, "2000000001030100"+"0000000000000000"+"00000007"+"0c000200"+"00000001"+"0000002a", hex.EncodeToString(pass(7, 42)))
}

func TestWhatTheKernelSaysIsRead(t *testing.T) {
	acknowledged := "24000000020000000000000001000000" + "00000000" + "1c00000002030500" + "0000000000000000"
	refused := "24000000020000000000000001000000" + "ffffffff" + "1c00000002030500" + "0000000000000000"
	// A timestamp before the packet's header, as the kernel may order them.
	packet := "2c000000000300000000000000000000" + "02000007" + "0c000400" + "0000000000000000" + "0b000100" + "0000002a" + "08000300"
	for text, want := range map[string][]received{
		acknowledged:    {{}},
		refused:         {{errno: -1}},
		packet:          {{packet: true, id: 42}},
		packet + packet: {{packet: true, id: 42}, {packet: true, id: 42}},
	} {
		raw, err := hex.DecodeString(text)
		require.NoError(t, err)
		got, err := read(raw)
		require.NoError(t, err, text)
		assert.Equal(t, want, got)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(pass(7, 42))
	f.Add([]byte{0x30, 0, 0, 0})
	f.Fuzz(func(t *testing.T, datagram []byte) {
		messages, err := read(datagram)
		if err == nil && len(datagram) > 0 && len(messages) == 0 {
			t.Fatal("something was read and nothing said")
		}
	})
}
