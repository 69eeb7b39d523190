// SPDX-License-Identifier: Apache-2.0
// Texts and embeddings of an open model, watched. As many calls at once as Plugin::Model::capacity says.
#pragma once

#include "host/loading/plugin.h"
#include "roundhouse/ext/embedding.h"
#include "roundhouse/ext/text.h"

namespace roundhouse::host {

// Each throws what the caller's sink threw; the plugin's error; CAPABILITY_UNSUPPORTED where the model has
// not the extension; ENGINE_BROKEN for a rule of CONTRACT.md that the plugin broke.
void write_text(const Plugin::Model& model, const rh_text_request& request, const rh_text_sink& sink);
void render_prompt(const Plugin::Model& model, const rh_text_request& request, const rh_prompt_sink& sink);
void embed_texts(const Plugin::Model& model, const rh_embedding_request& request,
                 const rh_embedding_sink& sink);

}  // namespace roundhouse::host
