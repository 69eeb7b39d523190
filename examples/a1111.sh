#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Stable Diffusion web UI's interface with Roundhouse behind it, from a shell.
#   roundhouse serve &
#   sh a1111.sh [http://127.0.0.1:11435]
set -eu
url=${1:-http://127.0.0.1:11435}/sdapi/v1

echo "models:"
curl -fsS "$url/sd-models" | grep -o '"model_name":"[^"]*"'

# The image is the first base64 text of the answer.
curl -fsS "$url/txt2img" -H 'Content-Type: application/json' -d '{
  "prompt": "a blue robot in a room",
  "steps": 8, "cfg_scale": 1, "width": 256, "height": 256, "seed": 7, "sampler_name": "Euler"
}' | sed 's/.*"images":\["\([^"]*\)".*/\1/' | base64 -d >robot.png
echo "robot.png: $(wc -c <robot.png) bytes"

# What it was made with is inside of it.
printf '{"image": "%s"}' "$(base64 -w0 robot.png)" | curl -fsS "$url/png-info" -d @- |
  grep -o '"info":"[^}]*Version: [^"]*"'
