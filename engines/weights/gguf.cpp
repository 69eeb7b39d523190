// SPDX-License-Identifier: Apache-2.0
#include "engines/weights/gguf.h"

#include "engines/weights/gguf_header.h"

namespace engines {

GgufFile::GgufFile(const std::filesystem::path& path) : WeightFile(path), metadata_(shown()) {
  GgufHeader header = read_gguf_header({file().data(), file().size()}, shown());
  for (const auto& [name, entry] : header.entries) {
    const std::byte* const data = file().data() + header.data_offset + entry.begin;
    add(name, {entry.type_name, entry.shape, data, entry.bytes},
        entry.type == nullptr ? std::nullopt : entry.type->dtype);
  }
  metadata_ = std::move(header.metadata);
}

}  // namespace engines
