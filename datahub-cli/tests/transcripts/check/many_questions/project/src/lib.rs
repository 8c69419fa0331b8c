//! The hub's models.
use datahub_runtime::prelude::*;
#[derive(Clone, Debug, CdmsSynced)]
#[cdms(mapping = "survey.toml", table = "surveys")]
pub struct Survey {
    #[cdms(key)]
    pub id: Id<Survey>,
    #[cdms("AnswerA")]
    pub answer_a: Option<String>,
    #[cdms("AnswerB")]
    pub answer_b: Option<String>,
    #[cdms("AnswerC")]
    pub answer_c: Option<String>,
    #[cdms("AnswerD")]
    pub answer_d: Option<String>,
    #[cdms("AnswerE")]
    pub answer_e: Option<String>,
    #[cdms("AnswerF")]
    pub answer_f: Option<String>,
    #[cdms("AnswerG")]
    pub answer_g: Option<String>,
    #[cdms("AnswerH")]
    pub answer_h: Option<String>,
    #[cdms("AnswerI")]
    pub answer_i: Option<String>,
    #[cdms("AnswerJ")]
    pub answer_j: Option<String>,
    #[cdms("AnswerK")]
    pub answer_k: Option<String>,
    #[cdms("AnswerL")]
    pub answer_l: Option<String>,
    #[cdms("AnswerM")]
    pub answer_m: Option<String>,
    #[cdms("AnswerN")]
    pub answer_n: Option<String>,
    #[cdms("AnswerO")]
    pub answer_o: Option<String>,
    #[cdms("AnswerP")]
    pub answer_p: Option<String>,
    #[cdms("AnswerQ")]
    pub answer_q: Option<String>,
    #[cdms("AnswerR")]
    pub answer_r: Option<String>,
    #[cdms("AnswerS")]
    pub answer_s: Option<String>,
    #[cdms("AnswerT")]
    pub answer_t: Option<String>,
    #[cdms("AnswerU")]
    pub answer_u: Option<String>,
}

#[derive(Clone, Debug, CdmsSynced)]
#[cdms(mapping = "place.toml", table = "places")]
pub struct Place {
    #[cdms(key)]
    pub id: Id<Place>,
    #[cdms("Name")]
    pub name: Option<String>,
}
