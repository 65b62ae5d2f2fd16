//! Measures engines along the axes of `formwork_bench::scale`, interleaved in one thread, and draws what came out.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use formwork_bench::clock::Clock;
use formwork_bench::engine::{self, Engine};
use formwork_bench::program::finish_with_stack;
use formwork_bench::scale::Point;
use formwork_bench::scale::axes::{AXES, Axis};
use formwork_bench::scale::measure::{Effort, measure};
use formwork_bench::scale::report::{Line, to_csv, to_table};
use formwork_bench::scale::{plot, vocabularies};
use formwork_bench::vocabulary::BenchVocabulary;

/// Stack of the measuring thread: engines recurse into schemas, and an overflow would end the run.
const STACK_BYTES: usize = 1 << 30;

/// Measures how times grow with vocabularies, schemas and documents, and writes a plot and the figures of each axis.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// Folder for NAME.svg and NAME.csv of each axis.
    #[arg(long)]
    out: PathBuf,
    /// Axes by name; all of them without.
    #[arg(long)]
    axis: Vec<String>,
    /// Only these engines, where an axis has them.
    #[arg(long)]
    engine: Vec<String>,
    /// Only places from here on.
    #[arg(long, default_value_t = 0.0)]
    from: f64,
    /// Only places up to here.
    #[arg(long, default_value_t = f64::INFINITY)]
    to: f64,
    /// Times that each point is measured.
    #[arg(long, default_value_t = 5)]
    repeat: usize,
    /// Readings of the document after the first, each time.
    #[arg(long, default_value_t = 3)]
    warm: usize,
    /// Leave out the time in which the thread had no processor, for a machine that does other work.
    #[arg(long)]
    processor_time: bool,
    /// Seconds after which an engine does not repeat a point, and after which a longer one ends its line.
    #[arg(long, default_value_t = 30)]
    point_seconds: u64,
}

fn main() -> ExitCode {
    let options = Options::parse();
    finish_with_stack("scale", STACK_BYTES, move || run(&options).map(|()| true))
}

fn run(options: &Options) -> Result<(), String> {
    let known: Vec<&str> = AXES.iter().map(|axis| axis.name).collect();
    if let Some(unknown) = options.axis.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("{unknown}: not an axis ({})", known.join(", ")));
    }
    std::fs::create_dir_all(&options.out).map_err(|error| format!("{}: {error}", options.out.display()))?;
    let mut setup = Setup::default();
    for axis in AXES.iter().filter(|axis| options.axis.is_empty() || options.axis.iter().any(|name| name == axis.name))
    {
        let lines = run_axis(axis, options, &mut setup)?;
        write!(io::stdout(), "{}", to_table(axis, &lines)).map_err(|error| error.to_string())?;
        write_file(&options.out.join(format!("{}.csv", axis.name)), &to_csv(&lines))?;
        plot::draw(&options.out.join(format!("{}.svg", axis.name)), axis, &lines)?;
    }
    Ok(())
}

fn write_file(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

fn run_axis(axis: &Axis, options: &Options, setup: &mut Setup) -> Result<Vec<Line>, String> {
    let names =
        axis.engines.iter().filter(|name| options.engine.is_empty() || options.engine.iter().any(|it| it == *name));
    let mut lines: Vec<Line> = names.map(|name| Line { engine: (*name).to_owned(), ..Line::default() }).collect();
    let point_limit = Duration::from_secs(options.point_seconds);
    let clock = if options.processor_time { Clock::Processor } else { Clock::Wall };
    let effort = Effort { repeats: options.repeat.max(1), warm_readings: options.warm.max(1), clock, point_limit };
    for point in axis.points().filter(|point| (options.from..=options.to).contains(&point.x)) {
        setup.load(&point, &lines)?;
        let Some(vocabulary) = &setup.vocabulary else { break };
        let measured = measure(&mut setup.engines, vocabulary, &point, effort);
        for (line, result) in lines.iter_mut().zip(measured) {
            match result {
                Some(Ok(figures)) => line.points.push((point.x, figures)),
                Some(Err(reason)) => line.end = Some((point.x, shorten(&reason))),
                None => {}
            }
            let _ = writeln!(io::stderr(), "{} {} {}: {:?}", axis.name, point.x, line.engine, line.points.last());
        }
    }
    Ok(lines)
}

/// Beginning and end of the first line: a message may hold a whole grammar, or a path through a whole schema.
fn shorten(message: &str) -> String {
    let chars: Vec<char> = message.lines().next().unwrap_or_default().chars().collect();
    let text = |chars: &[char]| chars.iter().collect::<String>();
    match chars.len() {
        0..=150 => text(&chars),
        n_chars => format!("{} \u{2026} {}", text(&chars[..40]), text(&chars[n_chars - 100..])),
    }
}

/// The engines with the vocabulary of the present point.
#[derive(Default)]
struct Setup {
    vocabulary: Option<BenchVocabulary>,
    /// By line; none where the line has ended.
    engines: Vec<Option<Box<dyn Engine>>>,
}

impl Setup {
    fn load(&mut self, point: &Point, lines: &[Line]) -> Result<(), String> {
        let vocabulary = match self.vocabulary.take().filter(|it| it.name == point.vocabulary) {
            Some(vocabulary) => vocabulary,
            None => {
                self.engines.clear();
                vocabularies::load(point.vocabulary)?
            }
        };
        let mut engines: Vec<Option<Box<dyn Engine>>> = std::mem::take(&mut self.engines);
        let mut keep =
            |name: &str| engines.iter_mut().find(|it| it.as_ref().is_some_and(|it| it.name() == name))?.take();
        let mut load = |line: &Line| match &line.end {
            Some(_) => Ok(None),
            None => keep(&line.engine).map_or_else(|| engine::load(&line.engine, &vocabulary), Ok).map(Some),
        };
        self.engines = lines.iter().map(&mut load).collect::<Result<_, String>>()?;
        self.vocabulary = Some(vocabulary);
        Ok(())
    }
}
