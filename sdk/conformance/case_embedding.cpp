// SPDX-License-Identifier: Apache-2.0
// Embeddings: a few texts together and alone.
#include <fmt/format.h>

#include <cmath>
#include <string_view>

#include "roundhouse/ext/embedding.h"
#include "roundhouse/floor.hpp"
#include "sdk/conformance/cases.h"

namespace conformance {
namespace {

constexpr std::string_view kTexts[] = {"a red lighthouse by the sea", "one two three",
                                       "how does a bird fly?"};

// What one embed sends.
struct Vectors {
  explicit Vectors(Report& to) : report(to) {}

  static int32_t on_cancelled(void* context) {
    auto& self = *static_cast<Vectors*>(context);
    ++self.asked;
    return self.stop ? 1 : 0;
  }
  static rh_status on_vector(void* context, const rh_vector* vector, rh_error*) {
    static_cast<Vectors*>(context)->take(vector);
    return RH_OK;
  }
  void take(const rh_vector* vector) {
    if (!report.expect(roundhouse::reaches_floor(vector) && vector->values != nullptr && vector->width > 0,
                       "P53", "a vector is NULL, too small or empty"))
      return;
    report.expect(vector->index == values.size(), "P53",
                  fmt::format("the vector of text {} came as number {}", vector->index, values.size()));
    values.emplace_back(vector->values, vector->values + vector->width);
    report.expect(values.back().size() == values.front().size(), "P53", "two vectors have two widths");
    for (const float value : values.back()) {
      if (!report.expect(std::isfinite(value), "P53", "a vector has values that are not finite")) return;
    }
  }

  Report& report;
  bool stop = false;
  unsigned asked = 0;
  std::vector<std::vector<float>> values;
};

class Embedder {
 public:
  Embedder(Report& report, std::string id, rh_model* model, const rh_embedding& embedding)
      : report_(report), id_(std::move(id)), model_(model), embedding_(embedding) {}

  rh_status embed(Vectors& vectors, const std::vector<std::string_view>& texts, std::uint32_t dimensions = 0,
                  const rh_options* options = nullptr) const {
    std::vector<rh_text_view> views;
    for (const std::string_view text : texts)
      views.push_back({text.data(), text.size()});
    const rh_embedding_request request{
        sizeof request, static_cast<std::uint32_t>(views.size()), views.data(), dimensions, 0, 1, 0, options};
    const rh_embedding_sink sink{sizeof sink, 0, &vectors, &Vectors::on_cancelled, &Vectors::on_vector};
    ErrorSlot error;
    report_.step("embed");
    const rh_status status = embedding_.embed(model_, &request, &sink, error.get());
    if (status != RH_OK) error.expect_told(report_, status, id_ + ": embed");
    return status;
  }

  void check() const {
    Vectors all(report_);
    const rh_status status = embed(all, {std::begin(kTexts), std::end(kTexts)});
    const bool whole = status == RH_OK && all.values.size() == std::size(kTexts);
    report_.require(whole, "P53",
                    fmt::format("{}: embed returned {} after {} vectors of {}", id_, status,
                                all.values.size(), std::size(kTexts)));
    for (std::size_t i = 0; i < std::size(kTexts); ++i) {
      Vectors alone(report_);
      embed(alone, {kTexts[i]});
      report_.expect(alone.values.size() == 1 && alone.values.front() == all.values[i], "P54",
                     id_ + ": the vector of a text is another alone than beside others");
    }
    expect_length_1(all);
    const auto half = static_cast<std::uint32_t>(std::max<std::size_t>(all.values.front().size() / 2, 1));
    Vectors shorter(report_);
    embed(shorter, {kTexts[0]}, half);
    report_.expect(shorter.values.size() == 1 && shorter.values.front().size() == half, "P53",
                   id_ + ": a vector has another width than was asked for");
    expect_length_1(shorter);
    Vectors stopped(report_);
    stopped.stop = true;
    const rh_status cancelled = embed(stopped, {std::begin(kTexts), std::end(kTexts)});
    report_.expect(cancelled == RH_CANCELLED && stopped.asked > 0, "P50",
                   fmt::format("{}: embed that is asked to stop returned {}", id_, cancelled));
    const rh_option option{sizeof option, RH_OPTION_STRING, "conformance-unknown", "x", 0, 0};
    const rh_options options{sizeof options, 1, &option};
    Vectors none(report_);
    report_.expect(embed(none, {kTexts[0]}, 0, &options) == RH_UNKNOWN_OPTION, "P14",
                   id_ + ": embed takes an option that is not known");
  }

 private:
  void expect_length_1(const Vectors& vectors) const {
    for (const auto& vector : vectors.values) {
      double squares = 0;
      for (const float value : vector)
        squares += static_cast<double>(value) * static_cast<double>(value);
      // Each value is rounded to 2^-24 of itself.
      report_.expect(squares == 0 || std::abs(std::sqrt(squares) - 1) < 1e-5, "P55",
                     fmt::format("{}: a vector has length {}, expected 1", id_, std::sqrt(squares)));
    }
  }

  Report& report_;
  const std::string id_;
  rh_model* const model_;
  const rh_embedding& embedding_;
};

}  // namespace

void check_embeddings(const Subject& subject, Report& report) {
  for (const char* rule : {"P53", "P54", "P55"})
    report.expect(true, rule, "");  // an engine that does not embed keeps them all
  Life life(subject, report, false);
  for (const rh_engine_descriptor* engine : life.descriptors()) {
    const EngineUse use(life, *engine);
    if (!can_open(subject, *engine)) continue;
    const ModelUse model(life, subject, *engine, use.get());
    const auto* embedding =
        static_cast<const rh_embedding*>(model.get()->get_extension(model.get(), RH_EMBEDDING_ID));
    if (embedding == nullptr) continue;
    report.require(roundhouse::reaches_floor(embedding) && embedding->embed != nullptr, "P10",
                   std::string(engine->id) + ": rh_embedding is too small or has no embed");
    Embedder(report, engine->id, model.get(), *embedding).check();
  }
  report.expect(!life.host().logged(std::string(kTexts[0])), "P32", "the log holds a text");
}

}  // namespace conformance
