// SPDX-License-Identifier: Apache-2.0
#include "engines/diffusion/zimage_names.h"

namespace engines {

const NameTable& zimage_names() {
  static const NameTable table({
      {"^model.diffusion_model.", {""}},
      {"^text_encoders.", {}},  // of checkpoints with all components in one file
      {"^vae.", {}},
      {"^first_stage_model.", {}},
      {"^x_embedder.", {"all_x_embedder.2-1."}},
      {"^final_layer.", {"all_final_layer.2-1."}},
      {".attention.qkv.", {".attention.to_q.", ".attention.to_k.", ".attention.to_v."}},
      {".attention.out.", {".attention.to_out.0."}},
      {".attention.q_norm.", {".attention.norm_q."}},
      {".attention.k_norm.", {".attention.norm_k."}},
      {"^norm_final.", {}},
  });
  return table;
}

}  // namespace engines
