//! How does a line look? One SVG for each axis: mean and worst mask, first mask; both scales are logarithmic.

use std::ops::Range;
use std::path::Path;

use plotters::coord::Shift;
use plotters::coord::combinators::IntoLogRange;
use plotters::prelude::*;

use super::axes::Axis;
use super::measure::Figures;
use super::report::Line;

const SIZE: (u32, u32) = (1_200, 480);
/// Characters of one line of the notes below.
const NOTE_CHARS: usize = 170;

type Get = fn(&Figures) -> f64;

/// One diagram and the times in it: with a full line, and with a thin one.
struct Panel {
    title: &'static str,
    full: Get,
    thin: Option<Get>,
}

const PANELS: [Panel; 3] = [
    Panel { title: "mask, mean", full: |it| it.warm_mean, thin: Some(|it| it.cold_mean) },
    Panel { title: "mask, worst", full: |it| it.warm_worst, thin: Some(|it| it.cold_worst) },
    Panel { title: "compile and first mask", full: |it| it.first_mask, thin: None },
];

/// Draws an axis.
///
/// # Errors
/// When the file cannot be written.
pub fn draw(path: &Path, axis: &Axis, lines: &[Line]) -> Result<(), String> {
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    let result = draw_all(&root, axis, lines).and_then(|()| root.present().map_err(|error| error.to_string()));
    result.map_err(|error| format!("{}: {error}", path.display()))
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn draw_all(root: &Area<'_>, axis: &Axis, lines: &[Line]) -> Result<(), String> {
    root.fill(&WHITE).map_err(|error| error.to_string())?;
    let notes = notes(axis, lines);
    let notes_height = 16 * (1 + notes.len() as i32) + 12;
    let (panels, below) = root.split_vertically(SIZE.1 as i32 - notes_height);
    draw_legend(&below, lines)?;
    for (row, note) in (1..).zip(&notes) {
        let style = ("sans-serif", 13).into_font().color(&BLACK);
        below.draw_text(note, &style, (10, 2 + 16 * row)).map_err(|error| error.to_string())?;
    }
    for (area, panel) in panels.split_evenly((1, PANELS.len())).iter().zip(&PANELS) {
        draw_panel(area, panel, axis, lines)?;
    }
    Ok(())
}

fn draw_panel(area: &Area<'_>, panel: &Panel, axis: &Axis, lines: &[Line]) -> Result<(), String> {
    let failed = |error: DrawingAreaErrorKind<std::io::Error>| error.to_string();
    let gets: Vec<Get> = std::iter::once(panel.full).chain(panel.thin).collect();
    let points = || lines.iter().flat_map(|line| &line.points);
    let x_range = range(points().map(|(x, _)| *x), 1.15);
    let y_range = decades(points().flat_map(|(_, it)| gets.iter().map(move |get| get(it))));
    let mut chart = ChartBuilder::on(area)
        .caption(panel.title, ("sans-serif", 16))
        .margin(8)
        .x_label_area_size(36)
        .y_label_area_size(56)
        .build_cartesian_2d(x_range.log_scale(), y_range.log_scale())
        .map_err(failed)?;
    chart
        .configure_mesh()
        .x_desc(axis.unit)
        .x_label_formatter(&|x| short(*x))
        .y_label_formatter(&|micros| duration(*micros))
        .light_line_style(TRANSPARENT)
        .x_labels(7)
        .draw()
        .map_err(failed)?;
    for line in lines {
        let colour = colour(&line.engine);
        for (get, width) in
            [(Some(panel.full), 2), (panel.thin, 1)].into_iter().filter_map(|(get, width)| Some((get?, width)))
        {
            let style = colour.stroke_width(width);
            let points: Vec<(f64, f64)> = line.points.iter().map(|(x, figures)| (*x, get(figures))).collect();
            let marks = points.iter().map(|point| Circle::new(*point, width + 1, colour.filled()));
            chart.draw_series(marks).map_err(failed)?;
            chart.draw_series(LineSeries::new(points, style)).map_err(failed)?;
        }
    }
    Ok(())
}

/// Which line is which, in one row.
fn draw_legend(area: &Area<'_>, lines: &[Line]) -> Result<(), String> {
    let failed = |error: DrawingAreaErrorKind<std::io::Error>| error.to_string();
    let text = ("sans-serif", 13).into_font().color(&BLACK);
    let engines = lines.iter().map(|line| (line.engine.as_str(), colour(&line.engine).stroke_width(2)));
    let thin = ("thin: the first reading of the document; thick: later ones", BLACK.stroke_width(1));
    for (column, (name, style)) in (0..).zip(engines.chain([thin])) {
        let x = 10 + 160 * column;
        area.draw(&PathElement::new([(x, 8), (x + 20, 8)], style)).map_err(failed)?;
        area.draw_text(name, &text, (x + 26, 1)).map_err(failed)?;
    }
    Ok(())
}

/// The same in all plots.
fn colour(engine: &str) -> RGBColor {
    match engine {
        "formwork-listed" => RGBColor(0, 90, 181),
        "formwork" => RGBColor(0, 140, 90),
        _ => RGBColor(220, 50, 32),
    }
}

/// What is measured, and where lines end.
fn notes(axis: &Axis, lines: &[Line]) -> Vec<String> {
    let ends = lines.iter().filter_map(|line| {
        let (x, reason) = line.end.as_ref()?;
        Some(format!("{} ends before {}: {reason}", line.engine, short(*x)))
    });
    std::iter::once(axis.caption.to_owned()).chain(ends).flat_map(|note| wrap(&note)).collect()
}

fn wrap(note: &str) -> Vec<String> {
    let mut rows = vec![String::new()];
    for word in note.split_whitespace() {
        let row = rows.last_mut().expect("there is a row");
        if row.len() + word.len() < NOTE_CHARS {
            row.push_str(word);
            row.push(' ');
        } else {
            rows.push(format!("    {word} "));
        }
    }
    rows
}

fn range(values: impl Iterator<Item = f64>, margin: f64) -> Range<f64> {
    let (low, high) = bounds(values);
    low / margin..high * margin
}

/// Whole powers of ten.
fn decades(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (low, high) = bounds(values);
    10f64.powf(low.log10().floor())..10f64.powf(high.log10().ceil())
}

fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::MAX, 0.0), |(low, high): (f64, f64), value| (low.min(value), high.max(value)));
    let is_empty = low > high;
    if is_empty { (0.1, 1.0) } else { (low.max(1e-3), high.max(1e-2)) }
}

fn short(x: f64) -> String {
    match x {
        x if x >= 1e6 => format!("{}M", (x / 1e4).round() / 1e2),
        x if x >= 1e4 => format!("{}k", (x / 1e3).round()),
        x if x >= 1e3 => format!("{}k", (x / 1e2).round() / 1e1),
        x => format!("{}", x.round()),
    }
}

fn duration(micros: f64) -> String {
    match micros {
        it if it >= 1e6 => format!("{} s", it / 1e6),
        it if it >= 1e3 => format!("{} ms", it / 1e3),
        it if it >= 1.0 => format!("{it} \u{b5}s"),
        it => format!("{} ns", (it * 1e3).round()),
    }
}
