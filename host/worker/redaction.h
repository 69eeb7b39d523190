// SPDX-License-Identifier: Apache-2.0
// Keeps a user's words out of what an engine says.
#pragma once

#include <string>
#include <vector>

#include "host/task/image_task.h"

namespace roundhouse::host {

// The text with "<prompt>" in place of the job's prompts, those of fewer than four bytes excepted, and of any
// sixteen bytes of them and more: a plugin
// may neither print nor log them (rules P28, P32), and a log never shows them unasked.
std::string without_prompts(std::string text, const ImageTask& job);

// The same for the private texts of any task.
std::string without_texts(std::string text, const std::vector<std::string>& texts);
std::vector<std::string> private_texts(const ImageTask& task);

}  // namespace roundhouse::host
