// SPDX-License-Identifier: Apache-2.0
#include "engines/diffusion/zimage_transformer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "engines/diffusion/patches.h"
#include "engines/diffusion/timestep.h"
#include "engines/diffusion/zimage_session.h"
#include "tests/engines/pipeline/damaged_model.h"
#include "tests/engines/pipeline/reference_case.h"

namespace engines::test {
namespace {

// A reference latent [16, 1, h, w] as planes.
ConstPlanes planes_of(const Expected& latent) {
  return {latent.values.data(), latent.shape[0], latent.shape[2], latent.shape[3]};
}

class ZImageParts : public testing::Test {
 protected:
  ReferenceCase reference{"zimage-tiny"};
  ExpectedGroup expected{reference, "rope_time"};
};

TEST_F(ZImageParts, PatchesHaveTheOrderOfTheReferenceAndGoBack) {
  const auto latent = ExpectedGroup(reference, "dit").get("latent");
  const auto patchified = expected.get("patchified");
  FloatBuffer tokens(patchified.values.size());
  const Rows rows{tokens.data(), patchified.shape[0], patchified.shape[1]};
  patchify(planes_of(latent), rows, PatchOrder::channel_last);
  EXPECT_TRUE(std::equal(patchified.values.begin(), patchified.values.end(), tokens.data()));

  std::vector<float> back(latent.values.size());
  const ConstPlanes like = planes_of(latent);
  unpatchify(rows, Planes{back.data(), like.channels, like.height, like.width}, PatchOrder::channel_last);
  EXPECT_EQ(back, latent.values);
}

TEST_F(ZImageParts, RotationsAreThoseOfTheReference) {
  const auto kernels = make_reference_kernels();
  const ZImageTransformer transformer(reference.folder() / "transformer", *kernels);
  const TokenCounts counts{35, 64, 37, 64};
  FloatBuffer cos(128 * 19), sin(128 * 19);
  const ZImageRotation rotation{Rows{cos.data(), 128, 19}, Rows{sin.data(), 128, 19}};
  fill_rotation(transformer.config(), counts, 7, rotation);
  EXPECT_TRUE(close_to(expected.get("x_cos"), rotation.slice(0, 64).cos));
  EXPECT_TRUE(close_to(expected.get("x_sin"), rotation.slice(0, 64).sin));
  EXPECT_TRUE(close_to(expected.get("cap_cos"), rotation.slice(64, 64).cos));
  EXPECT_TRUE(close_to(expected.get("cap_sin"), rotation.slice(64, 64).sin));
}

TEST_F(ZImageParts, TheSinusoidOfTheTimestepIsThatOfTheReference) {
  const auto times = expected.get("t_values").values;
  std::vector<float> sinusoids(times.size() * 256);
  for (std::size_t i = 0; i < times.size(); ++i)
    timestep_sinusoid(times[i] * 1000.0F, std::span(sinusoids).subspan(i * 256, 256));
  EXPECT_TRUE(close_to(expected.get("t_sinusoid"), sinusoids.data(), sinusoids.size()));
}

class ZImageTransformerFiles : public testing::Test {
 protected:
  ModelCopy model{std::filesystem::path(ROUNDHOUSE_FIXTURES) / "zimage-tiny"};
  std::unique_ptr<Kernels> kernels = make_reference_kernels();
  std::string config = "transformer/config.json";
  void open() const { ZImageTransformer(model.path() / "transformer", *kernels); }
};

TEST_F(ZImageTransformerFiles, ATensorOfAnotherShapeIsNamed) {
  model.set(config, "in_channels", 8);
  EXPECT_TRUE(throws_error(RH_MODEL_INVALID, "all_x_embedder.2-1.weight", [&] { open(); }));
}

TEST_F(ZImageTransformerFiles, AnotherNumberOfBlocksThanTheWeightsHaveIsRefused) {
  model.set(config, "n_layers", 3);
  EXPECT_TRUE(throws_error(RH_MODEL_INVALID, "layers.2.", [&] { open(); }));
  model.set(config, "n_layers", 1);
  EXPECT_TRUE(throws_error(RH_MODEL_INVALID, "n_layers: 1", [&] { open(); }));
  model.set(config, "n_layers", 2);
  model.set(config, "n_refiner_layers", 0);
  EXPECT_TRUE(throws_error(RH_MODEL_INVALID, "n_refiner_layers: 0", [&] { open(); }));
}

TEST_F(ZImageTransformerFiles, ATruncatedShardIsRefused) {
  model.truncate("transformer/diffusion_pytorch_model-00001-of-00002.safetensors", 100);
  EXPECT_TRUE(
      throws_error(RH_MODEL_INVALID, "diffusion_pytorch_model-00001-of-00002.safetensors", [&] { open(); }));
}

TEST_F(ZImageTransformerFiles, WithoutNormsOfQueryAndKeyItRunsAndDiffers) {
  const std::vector<float> latents(16 * 4 * 4, 0.5F);
  std::vector<float> caption(64);
  for (std::size_t i = 0; i < caption.size(); ++i)
    caption[i] = std::sin(static_cast<float>(i));
  const auto run_once = [&] {
    const ZImageTransformer transformer(model.path() / "transformer", *kernels);
    std::vector<float> out(latents.size());
    QuietRun run;
    transformer.begin(ConstRows(caption.data(), 1, 64), 4, 4)
        ->forward(ConstPlanes(latents.data(), 16, 4, 4), 0.5, Planes(out.data(), 16, 4, 4), run);
    return out;
  };
  const auto with = run_once();
  model.set(config, "qk_norm", false);
  EXPECT_NE(run_once(), with);
}

class ZImageTransformerTest : public testing::TestWithParam<KernelsChoice> {
 protected:
  // All taps of a pass that the fixture has, and the output, against the fixture.
  void check_pass(const ReferenceCase& reference, const ExpectedGroup& expected, const Expected& latent,
                  const Expected& caption, double t, const std::string& output, bool taps) {
    const ZImageTransformer transformer(reference.folder() / "transformer", *kernels);
    const ConstPlanes x = planes_of(latent);
    const auto session = transformer.begin(caption.rows(), x.height, x.width);
    const Tap tap = [&](const std::string& name, ConstRows rows) {
      const std::string key = "tap." + name;
      if (!taps || !expected.has(key)) return;
      seen.insert(key);
      EXPECT_TRUE(close_to(expected.get(key), rows));
    };
    std::vector<float> out(latent.values.size());
    session->forward(x, t, Planes{out.data(), x.channels, x.height, x.width}, run, tap);
    EXPECT_TRUE(close_to(expected.get(output), out.data(), out.size()));
  }

  std::unique_ptr<Kernels> kernels = GetParam().make();
  QuietRun run;
  std::set<std::string> seen;
};

TEST_P(ZImageTransformerTest, SizesBeyondThePositionsAreRefused) {
  const ReferenceCase reference("zimage-tiny");
  const ZImageTransformer transformer(reference.folder() / "transformer", *kernels);
  const std::vector<float> features(1600 * 64);
  const auto begin = [&](std::int64_t tokens, std::int64_t h, std::int64_t w) {
    return [&, tokens, h, w] { transformer.begin({features.data(), tokens, 64}, h, w); };
  };
  EXPECT_TRUE(throws_error(RH_INVALID_DIMENSION, "height: 7", begin(5, 7, 8)));
  EXPECT_TRUE(throws_error(RH_INVALID_DIMENSION, "height: 0", begin(5, 0, 8)));
  EXPECT_TRUE(throws_error(RH_INVALID_DIMENSION, "width: -2", begin(5, 8, -2)));
  EXPECT_TRUE(throws_error(RH_INVALID_DIMENSION, "width: 1026", begin(5, 8, 1026)));
  EXPECT_TRUE(throws_error(RH_INVALID_DIMENSION, "1505 tokens", begin(1505, 8, 8)));
  EXPECT_NO_THROW(begin(1504, 8, 8)()) << "1504 + 2 positions fit into 1536";
  EXPECT_TRUE(throws_error(RH_INVALID_ARGUMENT, "empty", begin(0, 8, 8)));
  EXPECT_TRUE(throws_error(RH_INVALID_ARGUMENT, "63 wide", [&] {
    transformer.begin({features.data(), 5, 63}, 8, 8);
  }));
}

TEST_P(ZImageTransformerTest, EveryTapAndOutputIsThatOfTheReference) {
  const ReferenceCase reference("zimage-tiny");
  const ExpectedGroup expected(reference, "dit");
  const auto latent = expected.get("latent"), caption = expected.get("cap_feats");
  for (const std::string t : {"0.3", "0.0", "0.9"})  // the one with taps first: it names the stage
    check_pass(reference, expected, latent, caption, std::stod(t), "out.t" + t, t == "0.3");
  EXPECT_EQ(seen.size(), 10U) << "all taps of the fixture";
}

TEST_P(ZImageTransformerTest, AModelWiderThan256WithoutRefinersIsThatOfTheReference) {
  const ReferenceCase reference("zimage-wide-dit");
  const ExpectedGroup expected(reference, "dit");
  const auto latent = expected.get("latent"), caption = expected.get("cap_feats");
  for (const std::string t : {"0.3", "0.9"})
    check_pass(reference, expected, latent, caption, std::stod(t), "out.t" + t, t == "0.3");
  EXPECT_EQ(seen.size(), 3U) << "all taps of the fixture";
}

TEST_P(ZImageTransformerTest, TokensThatNeedNoPaddingAreThoseOfTheReference) {
  const ReferenceCase reference("zimage-tiny");
  const ExpectedGroup expected(reference, "dit_exact32");
  check_pass(reference, expected, expected.get("latent"), expected.get("cap_feats"), 0.5, "out.t0.5", false);
}

TEST_P(ZImageTransformerTest, TwoPassesEqualTheReferencesMaskedBatch) {
  const ReferenceCase reference("zimage-tiny");
  const ExpectedGroup expected(reference, "dit_batch2");
  check_pass(reference, expected, expected.get("latent"), expected.get("cap1"), 0.4, "out1", false);
  check_pass(reference, expected, expected.get("latent"), expected.get("cap2"), 0.4, "out2", false);
}

TEST_P(ZImageTransformerTest, LaterStepsOfASessionEqualAFirstStepAndRefineNoCaption) {
  const ReferenceCase reference("zimage-tiny");
  const ExpectedGroup expected(reference, "dit");
  const auto latent = expected.get("latent"), caption = expected.get("cap_feats");
  const ConstPlanes x = planes_of(latent);
  const ZImageTransformer transformer(reference.folder() / "transformer", *kernels);
  const auto session = transformer.begin(caption.rows(), x.height, x.width);
  std::vector<float> out(latent.values.size());
  std::size_t captions = 0;
  const Tap tap = [&](const std::string& name, ConstRows) { captions += name == "context_refiner0" ? 1 : 0; };
  for (const std::string t : {"0.9", "0.0", "0.3"}) {
    session->forward(x, std::stod(t), Planes{out.data(), x.channels, x.height, x.width}, run, tap);
    EXPECT_TRUE(close_to(expected.get("out.t" + t), out.data(), out.size()));
  }
  EXPECT_EQ(captions, 1U);
}

TEST_P(ZImageTransformerTest, ACancelledStepMayBeRepeated) {
  struct CancelledRun : QuietRun {
    bool cancelled() override { return ++asked > limit; }
    int asked = 0, limit = 0;
  };
  const ReferenceCase reference("zimage-tiny");
  const ExpectedGroup expected(reference, "dit");
  const auto latent = expected.get("latent"), caption = expected.get("cap_feats");
  const ConstPlanes x = planes_of(latent);
  const ZImageTransformer transformer(reference.folder() / "transformer", *kernels);
  const auto session = transformer.begin(caption.rows(), x.height, x.width);
  std::vector<float> out(latent.values.size());
  const Planes velocity{out.data(), x.channels, x.height, x.width};
  // Asked once per block: the context refiner's one, in the first call that gets through it; the noise
  // refiner's one; two layers.
  for (const int limit : {0, 1, 1, 2}) {
    CancelledRun cancelled;
    cancelled.limit = limit;
    EXPECT_TRUE(
        throws_error(RH_CANCELLED, "cancelled", [&] { session->forward(x, 0.3, velocity, cancelled); }));
  }
  session->forward(x, 0.3, velocity, run);
  EXPECT_TRUE(close_to(expected.get("out.t0.3"), out.data(), out.size()));
}

INSTANTIATE_TEST_SUITE_P(Kernels, ZImageTransformerTest, testing::ValuesIn(all_kernels()), name_of_choice);

TEST_F(ZImageParts, BlocksThatAreGivenBackAreReadAgain) {
  const auto kernels = make_reference_kernels();
  ZImageTransformer transformer(reference.folder() / "transformer", *kernels);
  const auto latent = ExpectedGroup(reference, "dit").get("latent");
  const std::vector<float> caption(static_cast<std::size_t>(3 * transformer.config().cap_feat_dim), 0.25F);
  QuietRun run;
  const auto forward = [&] {
    const ConstPlanes x = planes_of(latent);
    std::vector<float> out(latent.values.size());
    transformer.begin({caption.data(), 3, transformer.config().cap_feat_dim}, x.height, x.width)
        ->forward(x, 0.5, {out.data(), x.channels, x.height, x.width}, run);
    return out;
  };
  const auto kept = forward();
  transformer.keep_within(0);
  EXPECT_EQ(forward(), kept);
}

}  // namespace
}  // namespace engines::test
