// SPDX-License-Identifier: Apache-2.0
// Nothing: CMake precompiles the headers of a target that has a source.
