// SPDX-License-Identifier: Apache-2.0
// The post-processors of tokenizer.json and the table of their names. What they say of pairs of texts is not
// read.
#include "engines/tokenizer/post_processors.h"

#include "engines/tokenizer/tokenizer_spec.h"

namespace engines {
namespace {

std::vector<std::int64_t> read_special_ids(const StageConfig& processor, const std::string& name) {
  const auto tokens = processor.object("special_tokens");
  const auto token = tokens ? tokens->object(name) : std::nullopt;
  if (!token) processor.fail("special_tokens", fmt::format("{} is missing", in_quotes(name)));
  return token->integers("ids", 1, 16, 0, highest_token_id);
}

Surroundings read_template(const StageConfig& component) {
  bool passed_text = false;
  Surroundings around;
  for (const auto& piece : component.parts("single")) {
    if (const auto special = piece.object("SpecialToken")) {
      const auto ids = read_special_ids(component, special->text("id"));
      auto& side = passed_text ? around.after : around.before;
      side.insert(side.end(), ids.begin(), ids.end());
    } else if (piece.has("Sequence") && !passed_text) {
      passed_text = true;
    } else {
      piece.fail("single", "is not supported, expected special tokens around one sequence");
    }
  }
  if (!passed_text) component.fail("single", "has no sequence");
  return around;
}

// ["[SEP]", 102]
std::int64_t read_named_id(const StageConfig& component, const std::string& field) {
  const nlohmann::json* const pair = component.value(field);
  if (pair == nullptr || !pair->is_array() || pair->size() != 2 || !pair->at(1).is_number_unsigned() ||
      pair->at(1).get<std::uint64_t>() > static_cast<std::uint64_t>(highest_token_id))
    component.fail(field, "is not a token and its id, expected [\"[SEP]\", 102]");
  return pair->at(1).get<std::int64_t>();
}

Surroundings read_bert(const StageConfig& component) {
  return {{read_named_id(component, "cls")}, {read_named_id(component, "sep")}};
}

// It only trims offsets, which are not kept here.
Surroundings read_nothing(const StageConfig&) {
  return {};
}

Surroundings read_processor_sequence(const StageConfig& component) {
  Surroundings all;
  for (const auto& part : component.parts("processors")) {
    const auto around = read_post_processor(part);
    all.before.insert(all.before.begin(), around.before.begin(), around.before.end());
    all.after.insert(all.after.end(), around.after.begin(), around.after.end());
  }
  return all;
}

constexpr StageKind<Surroundings> processor_kinds[] = {
    {"BertProcessing", read_bert},         {"ByteLevel", read_nothing},
    {"RobertaProcessing", read_bert},      {"Sequence", read_processor_sequence},
    {"TemplateProcessing", read_template},
};

}  // namespace

Surroundings read_post_processor(const StageConfig& component) {
  return make_of_kind(component, processor_kinds);
}

}  // namespace engines
