// SPDX-License-Identifier: Apache-2.0
// Turning texts into vectors (rh.embedding/1).
#pragma once

#include "host/task/embed_task.h"
#include "host/worker/engine_client.h"
#include "host/worker/message.h"
#include "host/worker/ops/table.h"

namespace roundhouse::host {

// The host's end: the vectors in the order of the texts. Throws CAPABILITY_UNSUPPORTED when the model makes
// no embeddings.
EmbedReport embed(EngineClient& client, const EmbedTask& task, const EmbeddingSeen& seen);

// The worker's.
Message work_embed(LoadedEngine& engine, const Message& request, CallContext& call);

Message message_of(const EmbedTask& task);
// Throws FrameError for anything that message_of does not write.
EmbedTask embed_task_of(const Message& message);

}  // namespace roundhouse::host
