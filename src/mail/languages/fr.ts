import { mapTexts, type Phrases } from '../phrases.ts';

/** French; written with plain spaces, see {@link fr}. */
const TEXTS: Phrases = {
  colon: ' :',
  digest: {
    subject: {
      daily: { one: '{title}', other: '{title}, et {others} de plus' },
      weekly: { one: 'Votre semaine : {title}', other: 'Votre semaine : {title}, et {others} de plus' },
      welcome: { one: 'Bienvenue : {title}', other: 'Bienvenue : {title}, et {others} de plus' },
      nothing: 'Rien pour vous aujourd’hui',
    },
    heading: {
      daily: '{date}',
      weekly: 'Ce que vous avez manqué cette semaine',
      welcome: 'Bienvenue sur {service}',
      nothing: 'Rien pour vous aujourd’hui',
    },
    introduction: {
      daily: '',
      weekly: 'Le meilleur des sept derniers jours, sur ce que vous suivez.',
      welcome:
        'Voici les articles du jour sur ce que vous suivez. Ils arriveront désormais à l’heure que vous avez choisie ; tout se règle par les liens de chaque message, sans mot de passe.',
      nothing:
        'Aucun article du jour ne correspondait d’assez près à ce que vous suivez. Vous avez demandé à le savoir ; vos préférences permettent de désactiver cet avis ou de suivre davantage de sujets.',
    },
    count: {
      one: '{shown} article sur {candidates} choisi pour vous',
      other: '{shown} articles sur {candidates} choisis pour vous',
    },
    previewSecond: 'Également : {titles}',
    previewOnly: 'Par {authors}',
    viewInBrowser: 'Voir dans le navigateur',
    unsubscribe: 'Se désabonner',
    moreAuthors: { one: '{names} et {count} autre', other: '{names} et {count} autres' },
    votes: { one: '{count} vote', other: '{count} votes' },
    comments: { one: '{count} commentaire', other: '{count} commentaires' },
    stars: { one: '{count} étoile', other: '{count} étoiles' },
    links: { paper: 'Article', pdf: 'PDF', code: 'Code', project: 'Projet' },
    actions: {
      more: 'plus dans ce genre',
      less: 'moins dans ce genre',
      notNow: 'pas maintenant',
      mute: 'masquer {name}',
    },
    actionsInText: 'Plus, moins, masquer',
    sectionTrending: 'Tendances',
    sectionOther: 'Aussi pour vous',
    withdrawn: 'Les articles retirés depuis lors ont été omis.',
    longer: 'Cette édition est trop longue pour un message : {count} autres sont sur sa page',
    fresh: { one: '{count} nouveau dans {name}', other: '{count} nouveaux dans {name}' },
    had: { one: '{count} déjà reçu', other: '{count} déjà reçus' },
    late: { one: '{names} est en retard', other: '{names} sont en retard' },
    quiet: {
      weekend: { one: 'jour calme pour {names} : week-end', other: 'jour calme pour {names} : week-end' },
      holiday: { one: 'jour calme pour {names} : jour férié', other: 'jour calme pour {names} : jour férié' },
    },
  },
  reasons: {
    follow: 'parce que vous suivez {name}',
    followTerms: 'parce que vous suivez {name} : {terms}',
    liked: 'parce que vous avez aimé {title}',
    likedTerms: 'parce que vous avez aimé {title} : {terms}',
    trending: 'en vogue',
    fill: 'en vogue, hors de ce que vous suivez',
    reminder: 'mis de côté le {date} ; il ne reviendra plus',
  },
  foot: {
    why: 'Vous recevez ce message parce que vous avez abonné cette adresse à {service} et l’avez confirmée.',
    whyNotice: 'Vous recevez ce message parce que cette adresse a été saisie sur {service}.',
    preferences: 'Préférences',
    frequency: 'Modifier la fréquence',
    pause: 'Pause : une semaine, un mois, jusqu’à une date',
    unfollow: 'Se désabonner d’un sujet',
    unsubscribeAll: 'Se désabonner de tout',
    tracking: 'Ni pixel espion, ni lien de redirection.',
    operator: 'Envoyé par {operator}.',
  },
  notices: {
    confirm: {
      subject: 'Confirmez votre abonnement à {service}',
      preview: 'Un clic, et les premiers articles sont en route.',
      heading: 'Un clic, et c’est fait',
      paragraphs: [
        'Quelqu’un, vous sans doute, a demandé à {service} d’envoyer les articles de recherche du jour à cette adresse.',
        'Confirmez, et votre première édition part aussitôt.',
      ],
      button: 'Confirmer mon abonnement',
      after: ['Si ce n’était pas vous, ne faites rien : sans confirmation, rien d’autre n’est envoyé.'],
    },
    'confirm-address': {
      subject: 'Confirmez votre nouvelle adresse pour {service}',
      preview: 'Vos éditions arriveront ici dès que vous aurez confirmé.',
      heading: 'Est-ce votre nouvelle adresse ?',
      paragraphs: [
        'Une personne qui lit {service} a demandé que ses éditions arrivent désormais à cette adresse.',
        'Le changement se fait dès que vous confirmez ; d’ici là, rien ne change.',
      ],
      button: 'Confirmer cette adresse',
      after: ['Si ce n’était pas vous, ne faites rien.'],
    },
    'address-requested': {
      subject: 'Vos messages de {service} : une nouvelle adresse',
      preview: 'Rien ne change sans votre accord.',
      heading: 'Un changement d’adresse a été demandé',
      paragraphs: [
        'Par un lien tiré de l’un de vos messages, quelqu’un a demandé que vos éditions arrivent désormais à une autre adresse.',
        'Le changement se fait dès que les deux adresses ont accepté ; d’ici là, rien ne change.',
      ],
      button: 'Oui, j’accepte',
      after: [
        'Si ce n’était pas vous, ne faites rien, et ne transférez pas les messages de {service} : leurs liens servent à qui les possède.',
      ],
    },
    'address-changed': {
      subject: 'Votre adresse sur {service} a changé',
      preview: 'Les éditions arrivent désormais à la nouvelle adresse.',
      heading: 'Votre adresse a changé',
      paragraphs: [
        'Vos éditions arrivent désormais à la nouvelle adresse. Ceci est le dernier message à l’ancienne.',
      ],
      button: '',
      after: ['Si ce n’était pas vous, répondez à ce message : une personne le lira.'],
    },
    'preferences-changed': {
      subject: 'Vos préférences sur {service} ont changé',
      preview: 'Ce que vous suivez, ou le moment où vous le recevez, a changé.',
      heading: 'Vos préférences ont changé',
      paragraphs: ['Ce que vous suivez, ou quand et comment vous recevez votre édition, vient de changer.'],
      button: 'Voir mes préférences',
      after: ['Si ce n’était pas vous, la même page permet de revenir en arrière.'],
    },
    paused: {
      subject: '{service} est en pause',
      preview: 'Aucune édition jusqu’à votre retour.',
      heading: 'En pause',
      paragraphs: ['Vous ne recevez plus d’éditions jusqu’à votre retour. Ce que vous suivez est conservé.'],
      button: 'Reprendre maintenant',
      after: [],
    },
    'paused-until': {
      subject: '{service} est en pause jusqu’au {date}',
      preview: 'Aucune édition jusqu’au {date}.',
      heading: 'En pause jusqu’au {date}',
      paragraphs: [
        'Vous ne recevez plus d’éditions jusqu’au {date} ; elles reprendront ensuite d’elles-mêmes. Ce que vous suivez est conservé.',
      ],
      button: 'Modifier ou terminer la pause',
      after: [],
    },
    resumed: {
      subject: 'Ravis de vous revoir sur {service}',
      preview: 'Vos éditions reviennent à votre heure.',
      heading: 'Ravis de vous revoir',
      paragraphs: ['La pause est terminée. La prochaine édition arrive à l’heure que vous avez choisie.'],
      button: 'Voir mes préférences',
      after: [],
    },
    goodbye: {
      subject: 'Vous avez quitté {service}',
      preview: 'Plus aucun message. Merci de nous avoir lus.',
      heading: 'Au revoir, et merci de nous avoir lus',
      paragraphs: ['Votre désabonnement est complet. Ceci est le dernier message.'],
      button: 'S’abonner à nouveau',
      after: ['Si c’était une erreur, abonnez à nouveau la même adresse ; cela prend une minute.'],
    },
    test: {
      subject: 'Un message d’essai de {service}',
      preview: 'Si vous lisez ceci, l’envoi fonctionne.',
      heading: 'L’envoi fonctionne',
      paragraphs: [
        'Ceci est le message d’essai de {service}. Il a pris le même chemin que chaque édition : mêmes en-têtes, même signature, même relais.',
        'Affichez son code source : SPF, DKIM et DMARC devraient tous dire « pass ».',
      ],
      button: '',
      after: [],
    },
  },
};

/**
 * French, with its no-break spaces: before a colon and inside guillemets of full width, before the other double signs a narrow one
 * (Lexique des règles typographiques en usage à l'Imprimerie nationale).
 */
export const fr: Phrases = mapTexts(TEXTS, (text) =>
  text.replace(/ (?=[:»])|(?<=«) /g, '\u00a0').replace(/ (?=[;!?])/g, '\u202f'),
);
