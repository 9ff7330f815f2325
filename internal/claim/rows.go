package claim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wayproof/wayproof/internal/record"
)

// rows accumulates RowsParams: the last text of each row.
type rows struct {
	deaf
	params RowsParams
	last   map[string]record.Sample
}

func openRows(b brief) (accumulator, error) {
	params, err := paramsOf[RowsParams](b.promise)
	if err != nil {
		return nil, err
	}
	if params.Series == "" || len(params.Rows)+len(params.Absent) == 0 {
		return nil, fmt.Errorf("no row is given")
	}
	return &rows{params: params, last: map[string]record.Sample{}}, nil
}

func (r *rows) sample(_ int, sm *record.Sample) {
	key, ours := strings.CutPrefix(sm.Series, r.params.Series+"/")
	if before, seen := r.last[key]; ours && (!seen || !sm.At.Before(before.At)) {
		r.last[key] = *sm
	}
}

func (r *rows) verdict(v *record.Verdict) {
	v.N = len(r.last)
	v.Declared = fmt.Sprintf("%s has %d rows", r.params.Series, len(r.params.Rows))
	v.Observed = fmt.Sprintf("%d rows", len(r.last))
	for key, sm := range sorted(r.last) {
		figure(v, key, sm.Text)
	}
	if len(r.last) == 0 && len(r.params.Rows) > 0 {
		inconclusive(v, record.Harness, r.params.Series+" was not sampled")
		return
	}
	if wrong := r.wrong(); len(wrong) > 0 {
		v.Signature = strings.Join(wrong, "; ")
		violated(v, "%s", v.Signature)
		return
	}
	held(v, "every row is as declared")
}

func (r *rows) wrong() (wrong []string) {
	for key, want := range sorted(r.params.Rows) {
		switch got, there := r.last[key]; {
		case !there:
			wrong = append(wrong, key+": missing")
		case got.Text != want:
			wrong = append(wrong, fmt.Sprintf("%s: %q, want %q", key, got.Text, want))
		}
	}
	for key := range sorted(r.last) {
		_, wanted := r.params.Rows[key]
		if slices.Contains(r.params.Absent, key) || !wanted && !r.params.Subset {
			wrong = append(wrong, key+": not wanted")
		}
	}
	return wrong
}
