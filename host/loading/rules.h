// SPDX-License-Identifier: Apache-2.0
// The rules of sdk/CONTRACT.md that the loader can see broken: the one place where their numbers stand.
#pragma once

namespace roundhouse::host::rule {

inline constexpr const char* kEntrySymbol = "P1";   // the data symbol rh_plugin_entry
inline constexpr const char* kEntry = "P2";         // its size, ABI version and functions
inline constexpr const char* kLoadable = "P4";      // the library loads with what it links to
inline constexpr const char* kFactory = "P5";       // an engine factory with at least one engine
inline constexpr const char* kDescriptor = "P6";    // a descriptor for each index
inline constexpr const char* kIdentity = "P7";      // id, names and maturity
inline constexpr const char* kCapabilities = "P8";  // capabilities and limits
inline constexpr const char* kManifest = "P9";      // manifest and plugin say the same
inline constexpr const char* kRecords = "P10";      // records are there, large enough, without NULL functions
inline constexpr const char* kErrors = "P17";       // known codes, with a message
inline constexpr const char* kExceptions = "P18";   // none crosses
inline constexpr const char* kOneImage = "P20";     // exactly one for each success
inline constexpr const char* kImage = "P21";        // size, format and values
inline constexpr const char* kProgress = "P24";     // progress and stages
inline constexpr const char* kThread = "P25";       // callbacks come on generate's thread
inline constexpr const char* kPreview = "P39";      // no larger than the image
inline constexpr const char* kCalls = "P40";        // 1 to 1024 at once
inline constexpr const char* kRates = "P43";        // finite, above 0, of types of the list
inline constexpr const char* kOneReport = "P45";    // exactly one for each success, behind all pieces
inline constexpr const char* kPiece = "P46";        // channel, characters, calls of tools, tokens
inline constexpr const char* kReport = "P47";       // finish, counts and stop fit each other
inline constexpr const char* kStops = "P48";        // are never sent
inline constexpr const char* kTextProgress = "P51";  // of the prompt: never falls
inline constexpr const char* kRender = "P52";        // one prompt
inline constexpr const char* kVectors = "P53";       // one for each text, in order, of one width
inline constexpr const char* kProcess = "P29";  // directory, locale, environment, signals stay as they are

}  // namespace roundhouse::host::rule
