//! The reference of connectors' properties, from their declarations.

use connect_core::{
    config::Key,
    plugin::{Direction, Plugin},
    transform::TransformClass,
};

/// Markdown for one connector.
pub(crate) fn markdown(plugin: &Plugin) -> String {
    let about = plugin.about;
    let kind = match plugin.direction {
        Direction::Source => "source",
        Direction::Sink => "sink",
    };
    let mut page = format!("# {}\n\n{} ({kind})\n\n", short(about.class), about.summary);
    page.push_str(&format!("`connector.class`: `{}`", about.class));
    for (alias, _) in about.aliases {
        page.push_str(&format!(", or `{alias}`"));
    }
    page.push('\n');
    let mut group = None;
    for key in plugin.keys() {
        if key.group != group {
            group = key.group;
            page.push_str(&format!(
                "\n## {}\n\n| property | default | meaning |\n|---|---|---|\n",
                group.unwrap_or("Other")
            ));
        }
        page.push_str(&row(&key));
    }
    page
}

/// Markdown for a transform that a connector brings.
pub(crate) fn transform(transform: &TransformClass) -> String {
    let class = transform.class;
    let mut page = format!(
        "# {} (transform)\n\n`transforms.NAME.type`: `{class}`\n\n| property | default | meaning |\n|---|---|---|\n",
        short(class)
    );
    (transform.keys)()
        .iter()
        .for_each(|key| page.push_str(&row(key)));
    page
}

/// Whether a class is named so, in full or without its package.
pub(crate) fn is_called(class: &str, name: &str) -> bool {
    class == name || short(class) == name
}

fn row(key: &Key) -> String {
    let default = match (key.required, key.default) {
        (true, _) => "required".to_owned(),
        (false, None | Some("")) => "–".to_owned(),
        (false, Some(text)) => format!("`{text}`"),
    };
    let allowed = match key.allowed {
        [] => String::new(),
        values => format!(" One of: {}.", values.join(", ")),
    };
    let meaning = format!("{}{allowed}", key.documentation).replace('|', "\\|");
    format!("| `{}` | {default} | {meaning} |\n", key.name)
}

fn short(class: &str) -> &str {
    class.rsplit('.').next().unwrap_or(class)
}
