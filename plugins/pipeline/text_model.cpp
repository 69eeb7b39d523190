// SPDX-License-Identifier: Apache-2.0
#include "plugins/pipeline/text_model.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "engines/decoding/open_text.h"
#include "engines/kernels/costing/recording_kernels.h"
#include "engines/tensor/error.h"
#include "plugins/pipeline/weight_choices.h"

namespace roundhouse::pipeline {
namespace {

namespace decoding = engines::decoding;

static_assert(static_cast<int>(decoding::Channel::answer) == RH_CHANNEL_ANSWER);
static_assert(static_cast<int>(decoding::Channel::reasoning) == RH_CHANNEL_REASONING);
static_assert(static_cast<int>(decoding::Channel::tool_call) == RH_CHANNEL_TOOL_CALL);
static_assert(static_cast<int>(decoding::Finish::stop) == RH_FINISH_STOP);
static_assert(static_cast<int>(decoding::Finish::length) == RH_FINISH_LENGTH);
static_assert(static_cast<int>(decoding::Finish::tool_calls) == RH_FINISH_TOOL_CALLS);

decoding::SamplingOptions translate(const Sampling& from) {
  decoding::SamplingOptions to;
  to.top_k = from.top_k;
  to.seed = from.seed;
  to.temperature = from.temperature;
  to.top_p = from.top_p;
  to.min_p = from.min_p;
  to.typical_p = from.typical_p;
  to.repetition_penalty = from.repetition_penalty;
  to.presence_penalty = from.presence_penalty;
  to.frequency_penalty = from.frequency_penalty;
  to.repeat_last_n = from.repeat_last_n;
  to.dry_allowed_length = from.dry_allowed_length;
  to.dry_multiplier = from.dry_multiplier;
  to.dry_base = from.dry_base;
  to.mirostat_tau = from.mirostat_tau;
  to.mirostat_eta = from.mirostat_eta;
  for (const rh_logit_bias& bias : from.biases)
    to.biases.push_back({bias.id, bias.bias});
  return to;
}

decoding::TextRequest translate(const TextRequest& from) {
  decoding::TextRequest to;
  if (from.messages) to.messages = std::string(*from.messages);
  to.prompt = from.prompt;
  to.tools = from.tools;
  to.response_format = from.response_format;
  to.template_variables = from.template_variables;
  to.max_tokens = from.max_tokens;
  to.sampling = translate(from.sampling);
  to.stops.assign(from.stops.begin(), from.stops.end());
  to.window = from.window;
  to.shift = from.shift;
  to.keep_tokens = from.keep_tokens;
  to.tokens = from.tokens;
  to.top_logprobs = from.top_logprobs;
  return to;
}

rh_text_view view(const std::string& text) {
  return {text.data(), text.size()};
}

// Carries the pieces to the host's sink.
class PieceSink : public decoding::TextSink {
 public:
  explicit PieceSink(roundhouse::TextSink& sink) : sink_(sink) {}

  bool cancelled() override { return sink_.cancelled(); }
  void prompt(std::int64_t done, std::int64_t all) override {
    sink_.prompt(static_cast<std::uint32_t>(done), static_cast<std::uint32_t>(all));
  }
  void piece(decoding::TextPiece piece) override {
    std::vector<std::vector<rh_top_token>> tops;
    std::vector<rh_text_token> tokens;
    for (const decoding::AnswerToken& token : piece.tokens) {
      auto& top = tops.emplace_back();
      for (const decoding::TopToken& one : token.top)
        top.push_back({one.id, one.logprob, view(one.bytes)});
      tokens.push_back({token.id, token.logprob, view(token.bytes), top.empty() ? nullptr : top.data(),
                        static_cast<std::uint32_t>(top.size()), 0});
    }
    rh_text_piece record{};
    record.struct_size = sizeof record;
    record.channel = static_cast<std::uint32_t>(piece.channel);
    record.text = view(piece.text);
    record.tool_name = piece.tool_name ? piece.tool_name->c_str() : nullptr;
    record.tool_call = piece.tool_call;
    record.token_count = static_cast<std::uint32_t>(tokens.size());
    record.tokens = tokens.empty() ? nullptr : tokens.data();
    sink_.piece(record);
  }

 private:
  roundhouse::TextSink& sink_;
};

TextReport translate(const decoding::TextReport& from) {
  return {static_cast<std::uint32_t>(from.finish),
          from.prompt_tokens,
          from.cached_tokens,
          from.answer_tokens,
          from.stop,
          from.prompt,
          from.answer,
          from.wait};
}

// Stops work that the host does not want any more.
class EmbeddingRun : public engines::QuietRun {
 public:
  explicit EmbeddingRun(EmbeddingSink& sink) : sink_(sink) {}
  bool cancelled() override { return sink_.cancelled(); }

 private:
  EmbeddingSink& sink_;
};

// `alone(work)` does the work where nothing else uses the kernels.
template <class Alone>
void embed_each(decoding::TextEmbedder& embedder, const EmbeddingRequest& request, EmbeddingSink& sink,
                const Alone& alone) {
  const decoding::EmbeddingWish wish{request.dimensions, request.truncate, request.normalise};
  EmbeddingRun run(sink);
  for (const std::string_view text : request.texts) {
    decoding::EmbeddedText made;
    sink.check_cancelled();
    alone([&] { made = embedder.embed(text, wish, run); });
    sink.vector(static_cast<std::uint32_t>(made.tokens), made.values);
  }
}

class PipelineTextModel : public Model, public TextTask, public EmbeddingTask {
 public:
  using OpenEmbedder = std::function<std::unique_ptr<decoding::TextEmbedder>()>;

  PipelineTextModel(decoding::OpenText open, std::uint32_t calls, OpenEmbedder open_embedder)
      : open_(std::move(open)), calls_(calls), open_embedder_(std::move(open_embedder)) {}

  Facts describe() const override { return open_.facts; }
  std::uint32_t calls() const noexcept override { return calls_; }

  void generate(const TextRequest& request, Options& options, TextSink& sink) override {
    options.refuse_unread();  // there are none
    PieceSink pieces(sink);
    sink.report(translate(open_.generator->generate(translate(request), pieces)));
  }

  void render(const TextRequest& request, Options& options, PromptSink& sink) override {
    options.refuse_unread();
    const decoding::RenderedPrompt prompt = open_.generator->render(translate(request));
    sink.prompt(prompt.text, prompt.ids);
  }

  void embed(const EmbeddingRequest& request, Options& options, EmbeddingSink& sink) override {
    options.refuse_unread();
    const auto alone = [&](const std::function<void()>& work) { open_.generator->between_passes(work); };
    // Few who chat embed: what only that takes is made when it is first asked for.
    alone([&] {
      if (!embedder_) embedder_ = open_embedder_();
    });
    embed_each(*embedder_, request, sink, alone);
  }

 private:
  decoding::OpenText open_;
  std::uint32_t calls_;
  OpenEmbedder open_embedder_;
  std::unique_ptr<decoding::TextEmbedder> embedder_;
};

class PipelineEmbeddingModel : public EmbeddingModel {
 public:
  explicit PipelineEmbeddingModel(decoding::OpenEmbedder open) : open_(std::move(open)) {}

  Facts describe() const override { return open_.facts; }
  void embed(const EmbeddingRequest& request, Options& options, EmbeddingSink& sink) override {
    options.refuse_unread();
    embed_each(*open_.embedder, request, sink, [](const auto& work) { work(); });
  }

 private:
  decoding::OpenEmbedder open_;
};

struct ModelOptions {
  decoding::TextOptions text;
  std::uint32_t calls = 0;
};

ModelOptions read_options(const ModelSource& source, int threads) {
  constexpr std::int64_t usual_calls = 8, most_calls = 1024;
  ModelOptions options;
  options.text.weights = choice(source.options, "weights", weight_choices());
  options.text.threads = threads;
  options.text.memory_limit = source.memory_limit_bytes;
  options.text.lookup = source.options.boolean("lookup", true);
  const std::int64_t calls = source.options.integer("concurrency", usual_calls);
  if (calls < 1 || calls > most_calls)
    throw Error(RH_INVALID_ARGUMENT,
                fmt::format("option 'concurrency': {}, expected 1 to {}", calls, most_calls));
  options.calls = static_cast<std::uint32_t>(calls);
  return options;
}

}  // namespace

bool is_text_model(const std::string& directory) {
  return decoding::is_text_model(directory);
}

std::unique_ptr<Model> open_text_model(const ModelSource& source, engines::Kernels& kernels, int threads) {
  const ModelOptions options = read_options(source, threads);
  const std::string directory = source.directory;
  if (decoding::is_encoder(directory))
    return std::make_unique<PipelineEmbeddingModel>(
        decoding::open_embedder(directory, kernels, options.text));
  const auto open_embedder = [directory, &kernels, text = options.text] {
    return decoding::open_embedder(directory, kernels, text).embedder;
  };
  return std::make_unique<PipelineTextModel>(decoding::open_text(directory, kernels, options.text),
                                             options.calls, open_embedder);
}

void inspect_text_model(const ModelSource& source, int threads,
                        const std::function<void(rh_status, const std::string&)>& problem) {
  decoding::TextOptions options = read_options(source, threads).text;
  options.memory_limit = 0;
  options.plan_only = true;
  engines::RecordingKernels kernels;
  try {
    if (decoding::is_encoder(source.directory))
      decoding::open_embedder(source.directory, kernels, options);
    else
      decoding::open_text(source.directory, kernels, options);
  } catch (const engines::Error& error) {
    problem(error.code(), error.what());
  }
}

}  // namespace roundhouse::pipeline
