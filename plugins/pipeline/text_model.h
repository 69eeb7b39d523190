// SPDX-License-Identifier: Apache-2.0
// rh.text/1 and rh.embedding/1 by the language models and encoders of engines/.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engines/kernels/kernels.h"
#include "roundhouse/engine.hpp"

namespace roundhouse::pipeline {

// Whether the directory is of a language model or an encoder: by its files, whatever else is wrong with it.
bool is_text_model(const std::string& directory);

// Opens one. Options: "weights" as for images, "concurrency" (calls at once, 8), "lookup" (guesses what stood
// in the text before; changes no text). `kernels` must outlive the model.
std::unique_ptr<Model> open_text_model(const ModelSource& source, engines::Kernels& kernels, int threads);

// What opening it would find wrong, computing nothing: told once, and not at all where it would be opened.
void inspect_text_model(const ModelSource& source, int threads,
                        const std::function<void(rh_status, const std::string&)>& problem);

}  // namespace roundhouse::pipeline
