#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An image from a running daemon, with nothing but a shell and curl.
#   roundhouse serve &
#   sh generate.sh [http://127.0.0.1:11435]
set -eu
url=${1:-http://127.0.0.1:11435}

curl -fsS "$url/health"

# "exact" draws just what is asked for; without it the size is moved to one that suits the model, and the prompt is
# made one of pixel art, as clients of the pixel-art server expect.
curl -fsS "$url/generate" -d '{
  "prompt": "a red mushroom on green grass at night", "exact": true,
  "width": 256, "height": 256, "seed": 42, "format": "png"
}' | sed 's/.*"base64":"\([^"]*\)".*/\1/' | base64 -d >mushroom.png
echo "mushroom.png: $(wc -c <mushroom.png) bytes"

# The same while it is made: a line of JSON for each step, and the image in the last one.
curl -fsSN "$url/generate" -d '{
  "prompt": "a red mushroom on green grass at night", "exact": true,
  "width": 256, "height": 256, "seed": 42, "format": "png", "stream": true
}' | while IFS= read -r line; do
  case $line in
    *'"event":"progress"'*) echo "$line" | sed 's/.*"progress":\([0-9.]*\).*"message":"\([^"]*\)".*/\1 %  \2/' ;;
    *'"event":"result"'*) echo "$line" | sed 's/.*"base64":"\([^"]*\)".*/\1/' | base64 -d >streamed.png ;;
    *) echo "$line" >&2 ;;
  esac
done
cmp mushroom.png streamed.png

# A failure is an HTTP status, and says what to do.
curl -sS "$url/generate" -d '{"prompt": "x", "exact": true, "width": 63}' | sed 's/.*"error":"\([^"]*\)".*/\1/'
