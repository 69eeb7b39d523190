// SPDX-License-Identifier: Apache-2.0
#include "engines/convert/component_plan.h"

#include <algorithm>
#include <map>

#include "engines/convert/component_names.h"
#include "engines/tensor/quantise.h"
#include "engines/weights/choose_type.h"
#include "engines/weights/config.h"
#include "engines/weights/json_file.h"

namespace engines::conversion {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const Component& component, const std::string& tensor, const std::string& what) {
  throw Error(RH_CONVERSION_FAILED, component.files.front() + ": tensor " + in_quotes(tensor) + ": " + what);
}

bool holds(const std::string& name, std::string_view part) {
  return name.find(part) != std::string::npos;
}

// What the model does with a tensor, told from its name and shape.
WeightRole role_of(const Component& component, const std::string& name,
                   const std::vector<std::int64_t>& shape) {
  const auto sides = std::count_if(shape.begin(), shape.end(), [](std::int64_t side) { return side != 1; });
  if (sides <= 1) return WeightRole::vector;
  if (holds(name, "embed_tokens.")) return WeightRole::embedding;
  const auto& blocks = component.weights.blocks;
  const bool in_block =
      blocks.empty()
          ? holds(name, "layers.")
          : std::ranges::any_of(blocks, [&](std::string_view block) { return holds(name, block); });
  return in_block && shape.size() == 2 ? WeightRole::matrix : WeightRole::other;
}

Dtype type_of(const Component& component, const std::string& name, const WeightView& stored,
              Dtype requested) {
  if (component.weights.kind == WeightKind::vae) return Dtype::f32;
  const std::int64_t row = stored.shape.empty() ? 1 : stored.shape.back();
  return choose_type(requested, stored.dtype, row, stored.size(), role_of(component, name, stored.shape));
}

// Rows of q and k in a file of architecture llama, whose heads are laid out for other programs.
std::vector<std::int64_t> head_rows(const Component& component, const fs::path& directory,
                                    const std::string& name, bool from_gguf, bool to_gguf) {
  const bool rotated = holds(name, "self_attn.q_proj.weight") || holds(name, "self_attn.k_proj.weight");
  if (component.weights.gguf_architecture != "llama" || from_gguf == to_gguf || !rotated) return {};
  const Config config =
      Config::read(directory / component.folder / "config.json", component.folder + "config.json");
  const std::int64_t heads = config.integer("num_attention_heads", 1, 1 << 16);
  const std::int64_t size =
      config.integer_or("head_dim", config.integer("hidden_size", 1, 1 << 24) / heads, 2, 1 << 16);
  std::vector<std::int64_t> rows(static_cast<std::size_t>(size));
  for (std::int64_t row = 0; row < size; ++row) {
    const std::int64_t in_file = row_for_neighbouring_pairs(row, size);
    if (to_gguf)
      rows[static_cast<std::size_t>(in_file)] = row;
    else
      rows[static_cast<std::size_t>(row)] = in_file;
  }
  return rows;
}

// Adds a tensor, or a part of one that the format fuses.
class TensorTable {
 public:
  TensorTable(const Component& component, const NameTable& names, bool gguf)
      : component_(component), names_(names), gguf_(gguf) {}

  void add(const std::string& name, const WeightView& stored, Dtype type) {
    const StoredName place = gguf_ ? names_.stored(name) : StoredName{name, 0, 1};
    PlannedTensor& tensor = tensors_[place.name];
    if (tensor.parts.empty()) {
      tensor.parts.resize(place.parts);
      tensor.spec = {place.name, type, stored.shape};
      if (place.parts > 1 && stored.shape.empty()) fail(component_, name, "has no rows to join");
      if (place.parts > 1) tensor.spec.shape.front() *= static_cast<std::int64_t>(place.parts);
    }
    if (tensor.parts.at(place.part) != nullptr)
      fail(component_, name, "comes twice as " + in_quotes(place.name));
    tensor.parts[place.part] = &stored;
    const WeightView* first = *std::find_if(tensor.parts.begin(), tensor.parts.end(),
                                            [](const WeightView* part) { return part != nullptr; });
    if (first->shape != stored.shape || tensor.spec.dtype != type)
      fail(component_, name,
           "has another shape or type than what " + in_quotes(place.name) + " joins it with");
  }

  std::vector<PlannedTensor> take() {
    std::vector<PlannedTensor> tensors;
    for (auto& [name, tensor] : tensors_) {
      if (std::find(tensor.parts.begin(), tensor.parts.end(), nullptr) != tensor.parts.end())
        fail(component_, name, "a part of it is missing");
      tensors.push_back(std::move(tensor));
    }
    return tensors;
  }

 private:
  const Component& component_;
  const NameTable& names_;
  const bool gguf_;
  std::map<std::string, PlannedTensor> tensors_;
};

}  // namespace

std::uint64_t ComponentPlan::bytes() const {
  std::uint64_t bytes = 0;
  for (const PlannedTensor& tensor : tensors)
    bytes += tensor.spec.bytes();
  return bytes;
}

ComponentPlan plan_component(const fs::path& directory, const Component& component, Dtype type, bool gguf) {
  ComponentPlan plan;
  plan.component = component;
  plan.gguf = gguf && component.weights.kind != WeightKind::vae;
  plan.file = component.file(plan.gguf);
  if (component.gguf && !plan.gguf && !component.configured)
    throw Error(RH_CAPABILITY_UNSUPPORTED,
                component.files.front() +
                    ": has no config.json beside it, and safetensors files without one are not a model");
  const NameTable names = component_names(component);
  plan.weights = std::make_unique<WeightSet>(directory / component.folder, component.stem,
                                             WeightOptions{.plan_only = true}, names);
  TensorTable table(component, names, plan.gguf);
  plan.unchanged = plan.gguf == component.gguf && component.files.size() == 1;
  for (const std::string& name : plan.weights->names()) {
    if (plan.weights->is_beside(name)) continue;
    const WeightView* stored = plan.weights->find(name);
    if (stored == nullptr) fail(component, name, "is of a type that is not read");
    const Dtype to = type_of(component, name, *stored, type);
    if (to != stored->dtype && !can_be_made(to)) fail(component, name, "cannot be made");
    plan.unchanged = plan.unchanged && to == stored->dtype;
    table.add(name, *stored, to);
  }
  plan.tensors = table.take();
  plan.unchanged = plan.unchanged && !plan.weights->makes_copies();  // 8-bit floats become others
  for (PlannedTensor& tensor : plan.tensors) {
    // Heads are told by the model's own name, which is what the format's stands for.
    const auto meaning = plan.gguf ? names.meaning(tensor.spec.name).names : std::vector{tensor.spec.name};
    if (meaning.size() == 1)
      tensor.head_rows = head_rows(component, directory, meaning.front(), component.gguf, plan.gguf);
  }
  return plan;
}

}  // namespace engines::conversion
