// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>

#include "engines/ovis/transformer.h"
#include "tests/engines/pipeline/damaged_model.h"
#include "tests/engines/pipeline/first_deviation.h"
#include "tests/engines/pipeline/reference_case.h"

namespace engines::test {
namespace {

using ovis::OvisTransformer;

ConstPlanes planes_of(const Expected& latent) {
  return {latent.values.data(), latent.shape[0], latent.shape[1], latent.shape[2]};
}

class OvisFixture {
 protected:
  std::vector<float> forward(ovis::OvisSession& session, float timestep, const Tap& tap = {}) {
    const ConstPlanes x = planes_of(latent);
    std::vector<float> out(latent.values.size());
    session.forward(x, timestep, Planes{out.data(), x.channels, x.height, x.width}, run, tap);
    return out;
  }
  std::unique_ptr<ovis::OvisSession> begin(const OvisTransformer& transformer,
                                           const ovis::OvisSession* lender = nullptr) {
    return transformer.begin(caption.rows(), latent.shape[1], latent.shape[2], lender);
  }

  ReferenceCase reference{"ovis-odd"};
  ExpectedGroup expected{reference, "dit"};
  Expected latent = expected.get("latent"), caption = expected.get("caption");
  QuietRun run;
};

class OvisTransformerTest : public OvisFixture, public testing::TestWithParam<KernelsChoice> {
 protected:
  std::unique_ptr<Kernels> kernels = GetParam().make();
  OvisTransformer transformer{reference.folder() / "transformer", *kernels};
};

TEST_P(OvisTransformerTest, EveryTapAndOutputIsThatOfTheReference) {
  FirstDeviation first;
  const Tap tap = [&](const std::string& name, ConstRows rows) {
    EXPECT_TRUE(expected.has("tap." + name)) << name;
    first.expect(close_to(expected.get("tap." + name), rows));
  };
  const auto session = begin(transformer);
  const auto out = forward(*session, 731.25F, tap);
  first.expect(close_to(expected.get("out.t731.25"), out.data(), out.size()));
  EXPECT_TRUE(first.result());
  EXPECT_EQ(first.seen(), expected.names("tap.").size() + 1);

  const auto later = forward(*session, 52.5F);
  EXPECT_TRUE(close_to(expected.get("out.t52.5"), later.data(), later.size())) << "a later step";
}

TEST_P(OvisTransformerTest, ACancelledStepMayBeRepeated) {
  struct CancelledRun : QuietRun {
    bool cancelled() override { return ++asked > limit; }
    int asked = 0, limit = 0;
  };
  const auto session = begin(transformer);
  const ConstPlanes x = planes_of(latent);
  std::vector<float> out(latent.values.size());
  for (const int limit : {0, 1, 3}) {
    CancelledRun cancelled;
    cancelled.limit = limit;
    EXPECT_TRUE(throws_error(RH_CANCELLED, "cancelled", [&] {
      session->forward(x, 731.25F, Planes{out.data(), x.channels, x.height, x.width}, cancelled);
    }));
  }
  out = forward(*session, 731.25F);
  EXPECT_TRUE(close_to(expected.get("out.t731.25"), out.data(), out.size()));
}

INSTANTIATE_TEST_SUITE_P(Kernels, OvisTransformerTest, testing::ValuesIn(all_kernels()), name_of_choice);

class OvisFiles : public OvisFixture, public testing::Test {
 protected:
  ModelCopy model{std::filesystem::path(ROUNDHOUSE_FIXTURES) / "ovis-odd"};
  std::unique_ptr<Kernels> kernels = make_reference_kernels();
  std::string config = "transformer/config.json";
  void open() const { OvisTransformer(model.path() / "transformer", *kernels); }
};

TEST_F(OvisFiles, ATensorOfAnotherShapeIsNamed) {
  model.set(config, "in_channels", 16);
  EXPECT_TRUE(throws_error(RH_MODEL_INVALID, "x_embedder.weight", [&] { open(); }));
}

TEST_F(OvisFiles, AnotherNumberOfBlocksThanTheWeightsHaveIsRefused) {
  for (const auto& [field, beyond] : {std::pair("num_layers", "'transformer_blocks.2."),
                                      std::pair("num_single_layers", "'single_transformer_blocks.2.")}) {
    model.set(config, field, 3);
    EXPECT_TRUE(throws_error(RH_MODEL_INVALID, beyond, [&] { open(); }));
    model.set(config, field, 1);
    EXPECT_TRUE(throws_error(RH_MODEL_INVALID, std::string(field) + ": 1", [&] { open(); }));
    model.set(config, field, 2);
  }
}

TEST_F(OvisFiles, SizesAndCaptionsThatItCannotDoAreRefused) {
  const OvisTransformer transformer(model.path() / "transformer", *kernels);
  const std::vector<float> features(100);
  const auto begins = [&](std::int64_t rows, std::int64_t width, std::int64_t h, std::int64_t w) {
    return [&, rows, width, h, w] { transformer.begin({features.data(), rows, width}, h, w); };
  };
  EXPECT_TRUE(throws_error(RH_INVALID_DIMENSION, "height: 7", begins(5, 20, 7, 8)));
  EXPECT_TRUE(throws_error(RH_INVALID_DIMENSION, "height: 0", begins(5, 20, 0, 8)));
  EXPECT_TRUE(throws_error(RH_INVALID_DIMENSION, "width: -2", begins(5, 20, 8, -2)));
  EXPECT_TRUE(throws_error(RH_INVALID_ARGUMENT, "empty", begins(0, 20, 8, 8)));
  EXPECT_TRUE(throws_error(RH_INVALID_ARGUMENT, "19 wide", begins(5, 19, 8, 8)));
}

TEST_F(OvisFiles, BlocksThatAreGivenBackAreReadAgain) {
  OvisTransformer transformer(model.path() / "transformer", *kernels);
  const auto kept = forward(*begin(transformer), 500);
  EXPECT_LT(transformer.least_bytes(), transformer.resident_bytes() + 1);
  for (const std::uint64_t bytes : {std::uint64_t{0}, transformer.resident_bytes() - 1}) {
    transformer.keep_within(bytes);
    EXPECT_EQ(forward(*begin(transformer), 500), kept) << bytes;
  }
}

TEST_F(OvisFiles, ALentScratchGivesTheSameAndIsCounted) {
  const OvisTransformer transformer(model.path() / "transformer", *kernels);
  const auto lender = begin(transformer), borrower = begin(transformer, lender.get());
  const auto bytes = transformer.activation_bytes(caption.shape[0], latent.shape[1], latent.shape[2]);
  EXPECT_EQ(lender->activation_bytes(), bytes.kept + bytes.scratch);
  EXPECT_EQ(borrower->activation_bytes(), bytes.kept);
  EXPECT_EQ(forward(*borrower, 500), forward(*lender, 500));
}

}  // namespace
}  // namespace engines::test
