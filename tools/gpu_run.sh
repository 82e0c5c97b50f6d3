#!/bin/bash
# What a machine with a GPU and nothing installed but PyTorch, numba, scipy and pyarrow runs for this project:
# the tests on the GPU, then a dual-space network. Results and logs go to the folder in $OUT.
#
#   tools/gpu_run.sh WHEELS [MINUTES] [DEVICE] [MORE OPTIONS of xtalpriors dual-space …]
#
# TESTS=0 leaves the tests out. WHEELS holds wheels of what is missing there (gemmi, blake3, pydantic and what it needs), for its Python.
set -u
wheels=$1; minutes=${2:-7}; device=${3:-cuda}; shift $(($# < 3 ? $# : 3))
site=/tmp/xtalpriors-site; OUT=${OUT:-/tmp/xtalpriors-out}; export OUT
mkdir -p "$site/xtalpriors" "$OUT"
export PYTHONPATH=$site NUMBA_CACHE_DIR=/tmp/xtalpriors-numba OMP_NUM_THREADS=1
python3 -m pip install -q --no-index --no-deps --target "$site" "$wheels"/*.whl
for file in "$PWD"/src/xtalpriors/*; do ln -sfn "$file" "$site/xtalpriors/"; done
for folder in crystal mining priors generator model reports presets; do ln -sfn "$PWD/$folder" "$site/xtalpriors/$folder"; done
# kernels are compiled once, beside the tests, before many processes want them
python3 -c '
from xtalpriors.model.dual_space.config import CrystalConfig
from xtalpriors.model.dual_space.crystals import pool
from xtalpriors.priors import published_bundle
for number in range(8): pool(published_bundle(), CrystalConfig(pool=8), 0, number)' >> "$OUT/training.txt" 2>&1 &
(python3 -c 'import torch; print(torch.__version__, torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU")'
  [ "${TESTS:-1}" = 0 ] || timeout 100 python3 -m pytest -q -p no:cacheprovider -k cuda tests/model/test_cuda.py tests/model/test_train.py) > "$OUT/tests.txt" 2>&1
wait
end=$(python3 -c "import time; print(int(time.time() + 60 * $minutes + 40))")
for attempt in 1 2 3; do # after a failure the run goes on from its last checkpoint
  left=$((end - $(date +%s))); [ $left -gt 20 ] || break
  timeout -k 10 $left python3 -m xtalpriors dual-space --preset gpu --device "$device" --output "$OUT" \
    --set minutes="$minutes" "$@" >> "$OUT/training.txt" 2>&1 && break
done
tail -3 "$OUT/tests.txt"; tail -12 "$OUT/training.txt"; tail -4 "$OUT/log.jsonl"
