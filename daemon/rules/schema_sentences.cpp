#include "rules/schema_sentences.h"

#include "rules/schema_program.h"

#include <algorithm>
#include <array>
#include <utility>

namespace dutybook::rules {
namespace {

constexpr std::size_t most_characters = 60;
constexpr std::size_t most_choices = 20;

std::string joined(const std::vector<std::string>& words, std::string_view last) {
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) text += i + 1 == words.size() ? last : std::string_view(", ");
        text += words[i];
    }
    return text;
}

}  // namespace

std::string sentence_of_types(std::uint8_t types) {
    static constexpr std::array<std::pair<TypeBit, std::string_view>, 7> words{{
        {TypeString, "a text"},
        {TypeInteger, "a whole number"},
        {TypeNumber, "a number"},
        {TypeBoolean, "true or false"},
        {TypeArray, "a list"},
        {TypeObject, "an object"},
        {TypeNull, "null"},
    }};
    std::vector<std::string> named;
    for (const auto& [bit, word] : words) {
        const bool covered = bit == TypeInteger && (types & TypeNumber) != 0;
        if ((types & bit) != 0 && !covered) named.emplace_back(word);
    }
    return "must be " + joined(named, " or ");
}

std::string sentence_of_choice(const std::vector<Json>& values) {
    std::vector<std::string> words;
    for (std::size_t i = 0; i < std::min(values.size(), most_choices); ++i) {
        words.push_back(short_text(values[i]));
    }
    if (words.size() == 1) return "must be " + words.front();
    if (values.size() > most_choices) {
        words.push_back("... (" + std::to_string(values.size()) + " in all)");
    }
    return "must be one of " + joined(words, ", ");
}

std::string counted(std::size_t count, std::string_view noun) {
    return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::string short_text(const Json& value) {
    std::string text = value.is_string() ? value.get<std::string>() : canonical(value);
    if (text.size() <= most_characters) return text;
    std::size_t end = most_characters;  // never inside a UTF-8 sequence
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    return text.substr(0, end) + "...";
}

}  // namespace dutybook::rules
