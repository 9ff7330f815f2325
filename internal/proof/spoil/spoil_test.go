package spoil_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/proof/fate"
	"github.com/wayproof/wayproof/internal/proof/spoil"
	"github.com/wayproof/wayproof/internal/record"
)

// seeds is how many recordings each mutant is tried on.
const seeds = 6

func TestEveryClaimHoldsOnSoundRecordings(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range spoil.Recordings() {
		for seed := range uint64(seeds) {
			sound, err := spoil.Sound(name, seed)
			require.NoError(t, err)
			for i, verdict := range sound.Judge(t.Context()) {
				assert.Equal(t, record.Held, verdict.Verdict, "%s, seed %d: %s: %s", name, seed, verdict.ID, verdict.Detail)
				assert.NotEmpty(t, verdict.Observed, verdict.ID)
				assert.Positive(t, verdict.N, verdict.ID)
				seen[sound.Head.Plan.Promises[i].Kind] = true
			}
		}
	}
	for _, kind := range claim.Kinds() {
		assert.True(t, seen[kind], "no sound recording has a promise of kind %s", kind)
	}
}

func TestEveryMutantIsKilledByWhatItNames(t *testing.T) {
	for _, recording := range spoil.Recordings() {
		for seed := range uint64(seeds) {
			sound, err := spoil.Sound(recording, seed)
			require.NoError(t, err)
			for _, mutant := range spoil.Mutants() {
				if !slices.Contains(mutant.Recordings, recording) {
					continue
				}
				trial := mutant.TryOn(t.Context(), sound)
				assert.Equal(t, fate.Killed, trial.Fate, "%s in %s, seed %d: %s", mutant.Name, recording, seed, trial.Tell())
			}
		}
	}
}

// A new kind of claim needs a mutant that it kills.
func TestEveryKindOfClaimKillsAMutant(t *testing.T) {
	for _, kind := range claim.Kinds() {
		assert.True(t, slices.ContainsFunc(spoil.Mutants(), func(m spoil.Mutant) bool {
			return slices.Contains(m.Kills, kind)
		}), "no mutant is killed by %s", kind)
	}
}

func TestMutantsAreDeclaredInFull(t *testing.T) {
	names := map[string]bool{}
	for _, mutant := range spoil.Mutants() {
		assert.False(t, names[mutant.Name], "%s is there twice", mutant.Name)
		names[mutant.Name] = true
		assert.NotEmpty(t, mutant.Title, mutant.Name)
		assert.NotEmpty(t, mutant.Recordings, mutant.Name)
		assert.NotEqual(t, len(mutant.Silences) == 0, len(mutant.Kills) == 0, "%s kills claims, or silences them", mutant.Name)
		for _, kind := range slices.Concat(mutant.Kills, mutant.Also, mutant.Silences) {
			assert.Contains(t, claim.Kinds(), kind, mutant.Name)
		}
	}
}

func TestARecordingThatIsNoneIsAnError(t *testing.T) {
	_, err := spoil.Sound("void", 1)
	require.Error(t, err)
}

func BenchmarkMutants(b *testing.B) {
	sound := map[string]*spoil.Recording{}
	for _, name := range spoil.Recordings() {
		recording, err := spoil.Sound(name, 1)
		require.NoError(b, err)
		sound[name] = recording
	}
	all := spoil.Mutants()
	tried := 0
	for b.Loop() {
		mutant := all[tried%len(all)]
		for _, recording := range mutant.Recordings {
			mutant.TryOn(b.Context(), sound[recording])
			tried++
		}
	}
	b.ReportMetric(float64(tried)/b.Elapsed().Seconds(), "mutants/s")
}
