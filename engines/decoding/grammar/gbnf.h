// SPDX-License-Identifier: Apache-2.0
// Grammars as llama.cpp writes them (GBNF).
#pragma once

#include <string>

#include "engines/decoding/grammar/expression.h"

namespace engines::decoding {

// name ::= "text" [a-z^] . rule ( ... ) | * + ? {m,n}, # comments; escapes \n \r \t \\ \" \[ \] \xHH \uHHHH
// \UHHHHHHHH; the text is what `root` says. Throws INVALID_ARGUMENT with the line.
Grammar read_gbnf(const std::string& text);

}  // namespace engines::decoding
