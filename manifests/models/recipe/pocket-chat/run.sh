#!/bin/bash
# The whole job on a machine with GPUs (any number of GPUs) in one command of at most 10 minutes.
# First words.py (it makes words.json) and tok.py (it makes the folder TOK). What it makes goes to $OUT.
#   OUT=DIR TOK=DIR ./run.sh [seconds until training ends, 480] [questions a skill, 200] [definitions asked, 4000] [more flags of train.py]
R=$(cd "$(dirname "$0")" && pwd); T0=$(date +%s); END=$((T0 + ${1:-480})); NQ=${2:-200}; NR=${3:-4000}; shift $(( $# < 3 ? $# : 3 )); W=/tmp/pc
rm -rf $W; mkdir -p $W/ck $W/smoke $W/eval $W/m; cp -r $R $W/recipe; cp $R/../scenes.py $R/../shapes.py $W/recipe/; cp -r "$TOK" $W/tok; cd $W/recipe
say() { echo "== $(( $(date +%s) - T0 )) s: $*"; }
export PYTHONUNBUFFERED=1 PYTHONWARNINGS=ignore OMP_NUM_THREADS=4 TORCHINDUCTOR_COMPILE_THREADS=10 GLOO_SOCKET_IFNAME=lo NCCL_SOCKET_IFNAME=lo MASTER_ADDR=127.0.0.1 TRANSFORMERS_VERBOSITY=error HF_HUB_OFFLINE=1 TOKENIZERS_PARALLELISM=false
N=$(nvidia-smi -L | wc -l); C=$(env -u OMP_NUM_THREADS nproc); WORK=$(( C / N - 2 )); [ $WORK -gt 14 ] && WORK=14
say "$N GPUs, $C cores, $WORK workers each"; nvidia-smi -L | head -1
python3 -c "import torch, transformers; print(torch.__version__, transformers.__version__)" &
train() { # port, more flags
  local p=$1 rc; shift
  rm -f $W/ck/failed
  for r in $(seq 0 $((N-1))); do
    RANK=$r LOCAL_RANK=$r WORLD_SIZE=$N MASTER_PORT=$p python3 train.py --tok $W/tok --out $W/ck --end $END --workers $WORK "$@" > $W/rank$r.log 2>&1 &
  done
  while [ -n "$(jobs -rp)" ]; do  # one that fails ends all
    [ -e $W/ck/failed ] && { sleep 1; kill -9 $(jobs -rp) 2>/dev/null; }
    sleep .3
  done
  [ -e $W/ck/failed ] && return $(cat $W/ck/failed)
  [ -e $W/ck/model.safetensors ]
}
# every later stage once at tiny size with random weights, beside the start of training
(set -e
 python3 - <<P
import torch, model
from safetensors.torch import save_file
save_file({n: p.detach().to(torch.bfloat16).contiguous() for n, p in model.Qwen3().named_parameters()}, '$W/smoke/model.safetensors', metadata={'format': 'pt'})
P
 python3 export.py $W/smoke $W/tok $W/smoke/m
 mkdir -p $W/smoke/eval
 RANK=0 WORLD_SIZE=1 LOCAL_RANK=$((N-1)) python3 evaluate.py $W/smoke/m $W/smoke/eval --n 2 --recall 8
 python3 evaluate.py --merge $W/smoke/eval | tail -22
 CUDA_VISIBLE_DEVICES= python3 reference.py $W/smoke/m $W/smoke/ref | tail -3 | cut -c1-400
 echo SMOKE OK) > $W/smoke.log 2>&1 &
SM=$!
train 29511 "$@" & TR=$!
sleep 50
say after 50 s; tail -n 14 $W/rank0.log | cut -c1-220; tail -n 6 $W/smoke.log | cut -c1-600
wait $TR; rc=$?
if [ $rc -ne 0 ]; then
  say "training ended with $rc"; tail -n 30 $W/rank0.log; [ $N -gt 1 ] && tail -n 8 $W/rank1.log; tail -n 12 $W/smoke.log
  if [ $rc -eq 3 ]; then say "again with smaller steps"; train 29522 "$@" --lr 1e-3 --muon_lr 1.2e-3; rc=$?; fi
  [ $rc -ne 0 ] && { cp $W/*.log $OUT/; exit 1; }
fi
say training ended; grep -v -i warn $W/rank0.log | tail -n 45 | cut -c1-200
wait $SM; tail -n 4 $W/smoke.log | cut -c1-300
python3 export.py $W/ck $W/tok $W/m/pocket-chat && split -b 15000000 $W/m/pocket-chat/model.safetensors $OUT/model.part.
cp $W/ck/train.json $W/m/; tar czf $OUT/small.tgz -C $W m/pocket-chat/config.json m/pocket-chat/generation_config.json m/train.json
say exported
(CUDA_VISIBLE_DEVICES= python3 reference.py $W/m/pocket-chat $W/expected > $W/reference.log 2>&1; tar czf $OUT/expected.tgz -C $W expected) &
p=""
for r in $(seq 0 $((N-1))); do RANK=$r LOCAL_RANK=$r WORLD_SIZE=$N python3 evaluate.py $W/m/pocket-chat $W/eval --n $NQ --recall $NR > $W/eval$r.log 2>&1 & p="$p $!"; done
wait $p 2>/dev/null; say evaluated; tail -n 2 $W/eval0.log | cut -c1-300
python3 evaluate.py --merge $W/eval
tar czf $OUT/eval.tgz -C $W eval $(cd $W; ls *.log); say evaluation packed
wait; say reference; tail -n 14 $W/reference.log; ls -la $OUT
say done
