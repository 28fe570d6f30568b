//! The commands of a page, as its reader types them.

/// Each block of commands (marked `sh`) under this heading, with the reader's own values in place of the examples.
///
/// A value that the page does not name any more is a failure: then the table of the page is not what its commands use.
pub fn commands(page: &str, heading: &str, values: &[(&str, String)]) -> Vec<String> {
    let section = page
        .split("\n## ")
        .find(|section| section.starts_with(heading))
        .unwrap_or_else(|| panic!("there is no `{heading}`"));
    for (example, _) in values {
        assert!(
            section.contains(example),
            "the page does not say `{example}`"
        );
    }
    let blocks = section.split("```sh\n").skip(1);
    blocks
        .map(|block| {
            let block = block.split("```").next().unwrap_or_default();
            values
                .iter()
                .fold(block.to_owned(), |text, (example, value)| {
                    text.replace(example, value)
                })
        })
        .collect()
}

/// Who types a line of a block that shows a terminal.
#[derive(Clone, Copy)]
pub enum Prompt {
    Root,
    User,
}

/// What is typed at this prompt under this heading, in blocks that show a terminal, with other words in place of some.
pub fn typed(page: &str, heading: &str, prompt: Prompt, words: &[(&str, &str)]) -> String {
    let section = page
        .split("\n## ")
        .find(|section| section.starts_with(heading))
        .unwrap_or_else(|| panic!("there is no `{heading}`"));
    let prompt = match prompt {
        Prompt::Root => "# ",
        Prompt::User => "$ ",
    };
    let blocks = section.split("```console\n").skip(1);
    let lines: Vec<&str> = blocks
        .filter_map(|block| block.split("```").next())
        .flat_map(str::lines)
        .filter_map(|line| line.strip_prefix(prompt))
        .collect();
    assert!(!lines.is_empty(), "nothing is typed under `{heading}`");
    words.iter().fold(lines.join("\n"), |text, (word, other)| {
        text.replace(word, other)
    })
}
