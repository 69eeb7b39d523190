#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# damage_elf.sh truncated|other_machine GOOD BAD: makes a damaged copy of a sound library.
set -eu
case "$1" in
  truncated)
    head -c 4096 "$2" >"$3"
    ;;
  other_machine)
    # e_machine, two bytes at offset 18: 0xF3 is RISC-V.
    head -c 18 "$2" >"$3"
    printf '\363\000' >>"$3"
    tail -c +21 "$2" >>"$3"
    ;;
esac
