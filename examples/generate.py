#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An image from a running daemon, with Python's standard library alone.

    roundhouse serve &
    python3 generate.py [http://127.0.0.1:11435]
"""
import base64
import json
import os
import sys
import urllib.error
import urllib.request

URL = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:11435"


def generate(**fields):
    """Yields the lines of the answer: progress, previews, and the result. Raises RuntimeError for a failure."""
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get("ROUNDHOUSE_API_KEY"):
        headers["Authorization"] = f"Bearer {key}"
    body = json.dumps({"exact": True, "format": "png", "stream": True, **fields}).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{URL}/generate", body, headers)) as answer:
            for line in map(json.loads, answer):
                if "error" in line:
                    raise RuntimeError(f"{line['error_code']}: {line['error']}")
                yield line
    except urllib.error.HTTPError as refusal:
        failure = json.load(refusal)
        raise RuntimeError(f"{failure['error_code']}: {failure['error']} ({failure['hint']})") from None


def save(image, name):
    with open(name, "wb") as file:
        file.write(base64.b64decode(image["base64"]))
    print(f"{name}: {image['width']}x{image['height']}")


for event in generate(prompt="a purple castle in the mountains at sunset", seed=7, preview_every=3):
    if event["event"] == "progress":
        print(f"{event['progress']:5.1f} %  {event['message']}")
    elif event["event"] == "preview":
        save(event["image"], f"castle-step-{event['current_step']}.png")
    else:
        save(event["image"], "castle.png")
        print(f"by {event['model_name']} on {event['engine']}, seed {event['seed']}, {event['generation_time']:.2f} s")

try:
    list(generate(prompt="x", model="nobody"))
except RuntimeError as error:
    print(error)
else:
    sys.exit("a model that there is not has made an image")
