//! Diagrams of models and lookups: which boxes a diagram has, and where dagre places them.

use askama::Template;
use dagre::graph::{Graph, GraphOptions};
use dagre::{EdgeLabel, LayoutOptions, NodeLabel, Point, RankDir, layout};

use crate::atlas::{Atlas, LookupEnd};

/// With more boxes than this, the overview shows those with the most lookups, and each model's page its own neighbours.
const BOXES_MAX: usize = 40;

/// The most neighbours in the diagram of one model.
const NEIGHBOURS_MAX: usize = 18;

/// A diagram.
#[derive(Clone, Debug, Default)]
pub(crate) struct Diagram {
    boxes: Vec<LookupEnd>,
    /// From, to, and the fields.
    edges: Vec<(usize, usize, Vec<String>)>,
    /// The box that the diagram is about.
    centre: Option<usize>,
    /// How many boxes would be in it if it had room.
    pub(crate) all: usize,
}

impl Diagram {
    /// The models and what they refer to; of many, those with the most lookups.
    pub(crate) fn overview(atlas: &Atlas) -> Self {
        let mut boxes: Vec<_> = (0..atlas.models.len()).map(LookupEnd::Model).collect();
        let mut others: Vec<_> = atlas.lookups.iter().map(|lookup| lookup.to.clone()).collect();
        others.retain(|end| matches!(end, LookupEnd::Contract { .. }));
        others.sort();
        others.dedup();
        boxes.extend(others);
        let all = boxes.len();
        if all > BOXES_MAX {
            let lookups = |end: &LookupEnd| {
                let touches =
                    |lookup: &&crate::atlas::Lookup| lookup.to == *end || LookupEnd::Model(lookup.from) == *end;
                atlas.lookups.iter().filter(touches).count()
            };
            let mut ranked: Vec<_> = boxes.into_iter().map(|end| (std::cmp::Reverse(lookups(&end)), end)).collect();
            ranked.sort();
            ranked.truncate(BOXES_MAX);
            boxes = ranked.into_iter().map(|(_, end)| end).collect();
            boxes.sort();
        }
        Diagram::among(atlas, boxes, None, all)
    }

    /// A model, what it refers to, and what refers to it.
    pub(crate) fn around(atlas: &Atlas, model: usize) -> Self {
        let centre = LookupEnd::Model(model);
        let mut boxes = vec![centre.clone()];
        let ends = atlas.models.get(model).into_iter().flat_map(|model| {
            let to = model.points_to.iter().map(|lookup| lookup.to.clone());
            to.chain(model.pointed_at.iter().map(|lookup| LookupEnd::Model(lookup.from)))
        });
        for end in ends {
            if !boxes.contains(&end) {
                boxes.push(end);
            }
        }
        let all = boxes.len();
        boxes.truncate(NEIGHBOURS_MAX + 1);
        Diagram::among(atlas, boxes, Some(model), all)
    }

    /// The lookups among these; with a centre, those that begin or end there.
    fn among(atlas: &Atlas, boxes: Vec<LookupEnd>, centre: Option<usize>, all: usize) -> Self {
        let mut edges: Vec<(usize, usize, Vec<String>)> = Vec::new();
        for lookup in &atlas.lookups {
            let from = boxes.iter().position(|end| *end == LookupEnd::Model(lookup.from));
            let to = boxes.iter().position(|end| *end == lookup.to);
            let (Some(from), Some(to)) = (from, to) else { continue };
            if centre.is_some() && from != 0 && to != 0 {
                continue;
            }
            match edges.iter_mut().find(|(known, other, _)| (*known, *other) == (from, to)) {
                Some((_, _, fields)) => fields.push(lookup.field.clone()),
                None => edges.push((from, to, vec![lookup.field.clone()])),
            }
        }
        Diagram { boxes, edges, centre: centre.map(|_| 0), all }
    }

    /// Whether there is anything to see: a lookup.
    pub(crate) fn is_empty(&self) -> bool {
        self.edges.is_empty()
    }

    /// The number of boxes.
    pub(crate) fn len(&self) -> usize {
        self.boxes.len()
    }

    /// The diagram as SVG, with links relative to a page from which `root` leads to the site's first page.
    pub(crate) fn svg(&self, atlas: &Atlas, root: &str, name: &str) -> Result<String, askama::Error> {
        let mut graph: Graph<NodeLabel, EdgeLabel> =
            Graph::with_options(GraphOptions { directed: true, multigraph: false, compound: false });
        let mut shown = Vec::new();
        for (at, end) in self.boxes.iter().enumerate() {
            let (title, note, class, page) = described(atlas, end);
            let letters = title.chars().count().max(note.chars().count() * 4 / 5);
            let width = letters as f64 * 8.0 + 24.0;
            let class = if self.centre == Some(at) { format!("{class} centre") } else { class.to_owned() };
            graph.set_node(at.to_string(), Some(NodeLabel { width, height: HEIGHT, ..NodeLabel::default() }));
            shown.push((title, note, class, page, width));
        }
        for (from, to, _) in self.edges.iter().filter(|(from, to, _)| from != to) {
            graph.set_edge(from.to_string(), to.to_string(), Some(EdgeLabel::default()), None);
        }
        let spread = LayoutOptions {
            rankdir: RankDir::LR,
            nodesep: 14.0,
            edgesep: 8.0,
            ranksep: 80.0,
            marginx: 8.0,
            marginy: 8.0,
            ..LayoutOptions::default()
        };
        layout(&mut graph, Some(spread));
        let mut area = Area::default();
        let mut places = Vec::new();
        for (at, (.., wide)) in shown.iter().enumerate() {
            let placed = graph.node(&at.to_string());
            let (x, y) = placed.and_then(|placed| Some((placed.x?, placed.y?))).unwrap_or_default();
            area.include(&Point { x: x - wide / 2.0, y: y - HEIGHT / 2.0 });
            area.include(&Point { x: x + wide / 2.0, y: y + HEIGHT / 2.0 });
            places.push(Place { x, y, width: *wide });
        }
        let mut edges = Vec::new();
        for (from, to, fields) in &self.edges {
            let label = graph.edge(&from.to_string(), &to.to_string(), None);
            let points = match label {
                Some(label) => between(&label.points, &places[*from], &places[*to], &places),
                None => around(&places[*from]),
            };
            points.iter().for_each(|point| area.include(point));
            let title = format!("{} → {}: {}", shown[*from].0, shown[*to].0, fields.join(", "));
            edges.push(Edge { path: if from == to { loop_through(&points) } else { path(&points) }, title });
        }
        let boxes = shown.into_iter().zip(&places).map(|((title, note, class, page, wide), place)| Box {
            href: page.map(|page| format!("{root}{page}")),
            x: rounded(place.x - wide / 2.0),
            y: rounded(place.y - HEIGHT / 2.0),
            width: rounded(wide),
            middle: rounded(place.x),
            title_at: rounded(place.y - 3.0),
            note_at: rounded(place.y + 13.0),
            title,
            note,
            class,
        });
        let (width, height) = area.size();
        Svg { name, area: area.view(), width, height, boxes: &boxes.collect::<Vec<_>>(), edges: &edges }.render()
    }
}

/// What a diagram covers.
#[derive(Default)]
struct Area {
    least: Option<(f64, f64)>,
    most: (f64, f64),
}

/// The room around a diagram.
const MARGIN: f64 = 8.0;

impl Area {
    fn include(&mut self, point: &Point) {
        let least = self.least.get_or_insert((point.x, point.y));
        *least = (least.0.min(point.x), least.1.min(point.y));
        self.most = (self.most.0.max(point.x), self.most.1.max(point.y));
    }

    fn corner(&self) -> (f64, f64) {
        let (x, y) = self.least.unwrap_or_default();
        ((x - MARGIN).floor(), (y - MARGIN).floor())
    }

    /// Width and height.
    fn size(&self) -> (String, String) {
        let (x, y) = self.corner();
        (rounded((self.most.0 + MARGIN - x).ceil()), rounded((self.most.1 + MARGIN - y).ceil()))
    }

    /// The part of the plane that is shown, as SVG says it.
    fn view(&self) -> String {
        let ((x, y), (width, height)) = (self.corner(), self.size());
        format!("{} {} {width} {height}", rounded(x), rounded(y))
    }
}

/// The height of a box.
const HEIGHT: f64 = 44.0;

#[derive(Template)]
#[template(path = "html/diagram.svg", escape = "html")]
struct Svg<'d> {
    name: &'d str,
    area: String,
    width: String,
    height: String,
    boxes: &'d [Box],
    edges: &'d [Edge],
}

struct Box {
    href: Option<String>,
    title: String,
    note: String,
    class: String,
    x: String,
    y: String,
    width: String,
    middle: String,
    title_at: String,
    note_at: String,
}

struct Edge {
    path: String,
    title: String,
}

/// A box's title, the line below it, its class, and its page.
fn described(atlas: &Atlas, end: &LookupEnd) -> (String, String, &'static str, Option<String>) {
    match end {
        LookupEnd::Model(at) => atlas.models.get(*at).map_or_else(Default::default, |model| {
            let entity = model.entity.clone().unwrap_or_else(|| "the hub alone".to_owned());
            (model.name.clone(), entity, model.mode_name(), Some(format!("models/{}.html", model.slug)))
        }),
        LookupEnd::Contract { entity, slug } => {
            (entity.clone(), "no model".to_owned(), "contract", Some(format!("contracts/{slug}.html")))
        }
        LookupEnd::Entity(logical) => (logical.clone(), "no contract".to_owned(), "entity", None),
    }
}

/// A coordinate with at most one digit after the point, finer than a screen's pixels.
fn rounded(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// A box where it is placed.
struct Place {
    /// Its centre.
    x: f64,
    y: f64,
    width: f64,
}

impl Place {
    /// Half of the width of the widest box above or below it, and its own half if there is none.
    fn reach(&self, places: &[Place]) -> f64 {
        let above = places.iter().filter(|other| (other.x - self.x).abs() < 1.0);
        above.map(|other| other.width / 2.0).fold(0.0, f64::max)
    }
}

/// The points of an edge. It leaves a box and enters the other at the middles of the sides that face each other, and runs level
/// as far as the boxes above and below reach. dagre would end it where a straight line to the box's centre crosses its border,
/// so that it runs behind other boxes.
fn between(inner: &[Point], from: &Place, to: &Place, places: &[Place]) -> Vec<Point> {
    let is_right = (to.x - from.x).signum();
    let [_, inner @ .., _] = inner else { return inner.to_vec() };
    let side = |place: &Place, reach: f64, is_right: f64| Point { x: place.x + is_right * reach, y: place.y };
    let mut points = vec![side(from, from.width / 2.0, is_right), side(from, from.reach(places), is_right)];
    points.extend_from_slice(inner);
    points.extend([side(to, to.reach(places), -is_right), side(to, to.width / 2.0, -is_right)]);
    points
}

/// A smooth line through points, level at each of them.
fn path(points: &[Point]) -> String {
    let Some((first, rest)) = points.split_first() else { return String::new() };
    let mut path = format!("M{} {}", rounded(first.x), rounded(first.y));
    let mut before = first;
    for point in rest {
        let middle = rounded((before.x + point.x) / 2.0);
        let (x, y) = (rounded(point.x), rounded(point.y));
        path += &format!("C{middle} {} {middle} {y} {x} {y}", rounded(before.y));
        before = point;
    }
    path
}

/// The points of an edge from a box to itself: a small loop below its right half.
fn around(place: &Place) -> Vec<Point> {
    let (right, bottom) = (place.x + place.width / 2.0 - 12.0, place.y + HEIGHT / 2.0);
    let below = bottom + 14.0;
    [(right - 26.0, bottom), (right - 26.0, below), (right, below), (right, bottom)]
        .map(|(x, y)| Point { x, y })
        .to_vec()
}

/// A curve between the first and the last of four points that the others bend.
fn loop_through(points: &[Point]) -> String {
    let [first, rest @ ..] = points else { return String::new() };
    let rest: Vec<_> = rest.iter().map(|point| format!("{} {}", rounded(point.x), rounded(point.y))).collect();
    format!("M{} {}C{}", rounded(first.x), rounded(first.y), rest.join(" "))
}
